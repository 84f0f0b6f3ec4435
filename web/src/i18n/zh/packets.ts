/** Raw packets beside an alert. */
export default {
  title: "原始报文",
  ask: "向传感器取包",
  help: "从看到该流的网络传感器取回前后一分钟内的原始报文；取包、查看、下载均记入审计。",
  open: "查看报文",
  close: "收起",
  download: "下载 pcap（{size}）",
  caption: "共 {n} 个报文",
  number: "序号",
  seconds: "秒",
  length: "字节",
  summary: "摘要",
  before: "上一页",
  after: "下一页",
  veiled: "姓名以代号显示时只列报文头：要看内容，请先说明理由显示姓名，再打开。",
};
