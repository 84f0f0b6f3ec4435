/** Raw packets beside an alert. */
export default {
  title: "Raw packets",
  ask: "Ask the sensor",
  help: "Fetches the raw packets of the flow, a minute around it, from the network sensor that saw it. Asking, looking and downloading are audited.",
  open: "Show packets",
  close: "Hide",
  download: "Download pcap ({size})",
  caption: "{n} packets",
  number: "No.",
  seconds: "Seconds",
  length: "Bytes",
  summary: "Summary",
  before: "Previous",
  after: "Next",
  veiled: "While names are hidden only the headers show: to see what was sent, show names first, saying why, then open this again.",
};
