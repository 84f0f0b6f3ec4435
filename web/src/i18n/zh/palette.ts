/** The palette and the help on keys. */
export default {
  title: "命令",
  hint: "前往页面、执行操作或查询告警",
  go: "前往：{page}",
  search: "查询告警：{q}",
  keys: "全部按键",
  queue: "告警队列",
  everywhere: "任何页面",
  nothing: "没有匹配的命令",
};
