/** Texts of pseudonyms and names. */
export default {
  names: {
    hidden: "姓名已替换为代号（p-…）",
    shown: "正在显示姓名，还有 {n} 分钟",
    needed: "此文件可能含姓名：请先在页面上方说明理由显示姓名，再下载。",
    reveal: "显示姓名",
    hide: "恢复代号",
    title: "显示姓名",
    help: "告警与事件中的姓名默认显示为代号。显示姓名须写明理由，只在本会话内、限时有效；理由与其间查看的告警都会记入审计。",
    reason: "为什么需要看到姓名",
    needReason: "请写明理由，至少 4 个字",
    minutes: "时长",
    span: "{n} 分钟",
  },
};
