/** The palette and the help on keys. */
export default {
  title: "命令",
  hint: "前往页面、执行操作或查询告警",
  go: "前往：{page}",
  search: "查询告警：{q}",
  keys: "全部按键",
  queue: "告警队列",
  lists: "各页的列表",
  list: { down: "下一行；打开详情时看下一条", up: "上一行；打开详情时看上一条", open: "打开该行", leave: "收起详情，再按离开列表", search: "查找" },
  everywhere: "任何页面",
  nothing: "没有匹配的命令",
};
