/** Bodies of the HTTP API, field for field as soc_api/bodies.py declares them. Times are ISO 8601 in UTC. */

export type Severity = "informational" | "low" | "medium" | "high" | "critical";
export type AlertState = "new" | "acknowledged" | "closed";
export type Classification = "true_positive" | "benign_positive" | "false_positive" | "test";
export type Verdict = "符合" | "部分符合" | "不符合" | "不适用" | "未知";
export type Detector = "sigma" | "anomaly" | "special" | "health";
export type Layer = "physical" | "network" | "platform" | "data" | "application" | "management";
export type Role =
  | "system_admin"
  | "security_admin"
  | "audit_admin"
  | "analyst"
  | "shift_lead"
  | "compliance_officer"
  | "wall_display";

export interface Text {
  zh: string;
  en: string;
}

export interface Problem {
  code: string;
  message: Text;
  fix: Text;
  field: string;
}

export interface Session {
  username: string;
  display_name: string;
  role: Role;
  must_change_password: boolean;
  permissions: string[];
  csrf: string;
  expires: string;
  center: string;
  unit: string;
}

export interface AlertGroup {
  id: string;
  rule: string;
  detector: Detector;
  title: Text;
  severity: Severity;
  entity: string;
  unit: string;
  sensor: string;
  count: number;
  first_seen: string;
  last_seen: string;
  state: AlertState;
  owner: string;
  classification: Classification | "";
  close_reason: string;
  reason: Text;
  attack: string[];
  clauses: string[];
  revision: number;
}

export interface AlertPage {
  rows: AlertGroup[];
  total: number;
  revision: number;
  next: string;
}

export interface MatchRow {
  event: string;
  field: string;
  value: unknown;
  selection: string;
}

export interface EventRow {
  id: string;
  time: string;
  ingested: string | null;
  unit: string;
  sensor: string;
  logsource: Record<string, string>;
  fields: Record<string, unknown>;
  native: Record<string, unknown>;
}

export interface AlertBody {
  id: string;
  time: string;
  detected: string;
  reason: Text;
  events: EventRow[];
  matched: MatchRow[];
}

export interface HistoryRow {
  time: string;
  actor: string;
  action: string;
  note: string;
}

export interface AlertDetail {
  group: AlertGroup;
  alerts: AlertBody[];
  history: HistoryRow[];
}

export interface CheckRow {
  id: string;
  layer: Layer;
  title: Text;
  severity: "critical" | "high" | "medium" | "low";
  clauses: string[];
  method: "probe" | "attestation" | "mixed";
  verdict: Verdict;
  reason: Text;
  evaluated: string | null;
  stale_at: string | null;
  leaf: number | null;
}

export interface CheckEvidence {
  event: string;
  time: string;
  host: string;
  probe: string;
  method: string;
  raw: string;
  values: Record<string, unknown>;
  satisfied: boolean;
}

export interface CheckDetail {
  check: CheckRow;
  condition: string;
  evidence: CheckEvidence[];
  remedy: Text;
  history: CheckRow[];
}

export interface LayerSummary {
  layer: string;
  counts: Partial<Record<Verdict, number>>;
}

export interface CheckPage {
  system: string;
  system_name: string;
  grade: string;
  layers: LayerSummary[];
  checks: CheckRow[];
  disclaimer: Text;
}

export interface LeafRow {
  index: number;
  kind: string;
  time: string;
  actor: string;
  subject: string;
  summary: string;
  payload_sm3: string;
  leaf_hash: string;
}

export interface EvidencePage {
  size: number;
  root: string;
  checkpoint: string;
  rows: LeafRow[];
  next: string;
}

export interface VerifyResult {
  ok: boolean;
  size: number;
  root: string;
  checked_leaves: number;
  checked_payloads: number;
  checked_segments: number;
  seconds: number;
  findings: Text[];
}

export interface GapRow {
  lane: string;
  first: number;
  last: number;
  count: number;
  reason: string;
  time: string;
}

export interface SourceRow {
  name: string;
  state: "running" | "missing" | "failed";
  detail: Text;
}

export interface SensorRow {
  id: string;
  kind: string;
  unit: string;
  host: string;
  version: string;
  state: "online" | "silent" | "never";
  last_seen: string | null;
  last_sequence: number;
  backlog: number;
  events: number;
  gaps: GapRow[];
  sources: SourceRow[];
  cpu_percent: number;
  rss_bytes: number;
}

export interface SensorPage {
  rows: SensorRow[];
}

export interface ReportRow {
  id: string;
  month: string;
  unit: string;
  edition: number;
  created: string;
  actor: string;
  pdf_sm3: string;
  xlsx_sm3: string;
  leaf: number;
}

export interface ReportPage {
  rows: ReportRow[];
}

export interface Overview {
  open_alerts: Partial<Record<Severity, number>>;
  events_last_hour: number;
  alerts_last_day: number[];
  sensors_online: number;
  sensors_total: number;
  verdicts: Partial<Record<Verdict, number>>;
  ledger_size: number;
  ledger_root: string;
  anomaly_state: Text;
}

export interface AuditRow {
  time: string;
  actor: string;
  source: string;
  action: string;
  object: string;
  result: string;
}

export interface AuditPage {
  rows: AuditRow[];
  next: string;
}
