/** Beside an alert: precedents, relations, playbooks. */
export default {
  seen: "以前见过",
  same: "同一对象",
  others: "其他对象",
  related: "关联",
  nothing: "前后没有其他告警、进程或会话记录。",
  entity: "同一对象或主机的告警（{n}）",
  processes: "进程上下级",
  session: "同一会话（{n}）",
  playbook: "处置预案：{title}",
  did: "完成于",
  undid: "取消于",
  page: {
    title: "处置预案",
    total: "共 {n} 个",
    seek: "在步骤与规则中查找",
    none: "没有符合的预案",
    noneHelp: "请换一个词查找。",
    rules: "{n} 条规则",
    which: "适用规则",
  },
};
