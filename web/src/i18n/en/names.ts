/** Texts of pseudonyms and names. */
export default {
  names: {
    hidden: "Names are shown as pseudonyms (p-…)",
    shown: "Names are shown, for {n} more minutes",
    needed: "This file may name people: show names above the page first, saying why, then take it.",
    reveal: "Show names",
    hide: "Show pseudonyms",
    title: "Show names",
    help: "Names in alerts and events are pseudonyms by default. Showing them needs a reason and holds for this session and for some minutes; the reason and the alerts read meanwhile are on record.",
    reason: "What names are needed for",
    needReason: "Say why, in 4 characters at least",
    minutes: "How long",
    span: "{n} minutes",
  },
};
