/** What is wrong with a request before it leaves the page; the center decides again. */
import type { TransferChoices } from "../api/types";

/** The form as the person fills it in. */
export interface Draft {
  channel: string;
  application: string;
  purpose: string;
  label: string;
  marks: string[];
  days: number;
  files: { name: string; size: number }[];
}

/** A fault: the field, and the text to show with its slots. */
export interface Fault {
  field: "channel" | "application" | "purpose" | "label" | "days" | "files";
  key: string;
  slots?: Record<string, string | number>;
}

const stamp = /(绝密|机密|秘密)[★☆*]|[[【(](绝密|机密|秘密|涉密)[\]】)]/;
const words = ["国家秘密", "涉密", "绝密", "机密", "秘密"];
const harmless = ["商业秘密", "工作秘密", "个人隐私", "非涉密", "不涉密"];

const plain = (text: string) => text.normalize("NFKC").toLowerCase().replace(/[\s_-]/g, "");

/** The mark of a state secret in a request, or "". A mark or number names one, a text bears its stamp. */
export function secretIn(draft: Draft): string {
  for (const mark of [draft.label, ...draft.marks]) {
    const rest = harmless.reduce((text, word) => text.replaceAll(word, ""), plain(mark));
    const found = words.find((word) => rest.includes(word));
    if (found) return found;
  }
  for (const text of [draft.purpose, draft.application, ...draft.files.map((file) => file.name)]) {
    const found = stamp.exec(plain(text));
    if (found) return found[0];
  }
  return "";
}

/** The kinds of file that this label may carry on this channel; none where it may not go at all. */
export function contentsOf(choices: TransferChoices, channel: string, label: string): string[] {
  const route = choices.channels.find((one) => one.channel === channel);
  const way = choices.ways.find((one) => one.label === label && one.from_zone === route?.from_zone && one.to_zone === route?.to_zone);
  return way?.contents ?? [];
}

/** The kind that a file's name claims. */
export function kindOf(name: string): string {
  const ending = /\.([^./]+)$/.exec(name)?.[1]?.toLowerCase() ?? "";
  return ending === "jpg" ? "jpeg" : ending;
}

/** Everything that is still wrong, in the order of the form. */
export function faultsOf(draft: Draft, choices: TransferChoices, size: (bytes: number) => string): Fault[] {
  const faults: Fault[] = [];
  const allowed = contentsOf(choices, draft.channel, draft.label);
  if (!draft.channel) faults.push({ field: "channel", key: "channel" });
  if (!draft.application.trim()) faults.push({ field: "application", key: "application" });
  if (draft.purpose.trim().length < 2) faults.push({ field: "purpose", key: "purpose" });
  if (!draft.label) faults.push({ field: "label", key: "label" });
  if (!Number.isInteger(draft.days) || draft.days < 1 || draft.days > choices.validity_days_max) {
    faults.push({ field: "days", key: "days", slots: { n: choices.validity_days_max } });
  }
  const strange = draft.files.find((file) => allowed.length > 0 && !allowed.includes(kindOf(file.name)));
  if (!draft.files.length) faults.push({ field: "files", key: "files" });
  else if (draft.files.length > choices.upload_files_max) faults.push({ field: "files", key: "many", slots: { n: choices.upload_files_max } });
  else if (draft.files.reduce((sum, file) => sum + file.size, 0) > choices.upload_bytes_max) {
    faults.push({ field: "files", key: "large", slots: { size: size(choices.upload_bytes_max) } });
  } else if (strange) faults.push({ field: "files", key: "kind", slots: { name: strange.name } });
  return faults;
}
