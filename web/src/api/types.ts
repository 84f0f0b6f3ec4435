/** The API's bodies under short names; their fields come from the center's own OpenAPI document. */
import type { components } from "./openapi";

type Bodies = components["schemas"];

export type AlertBody = Bodies["AlertBody"];
export type AlertDetail = Bodies["AlertDetail"];
export type AlertGroup = Bodies["AlertGroup"];
export type AlertPage = Bodies["AlertPage"];
export type AuditPage = Bodies["AuditPage"];
export type CheckDetail = Bodies["CheckDetail"];
export type CheckPage = Bodies["CheckPage"];
export type CheckRow = Bodies["CheckRow"];
export type EvidencePage = Bodies["EvidencePage"];
export type EventRow = Bodies["EventRow"];
export type LayerSummary = Bodies["LayerSummary"];
export type MatchRow = Bodies["MatchRow"];
export type OpenToken = Bodies["OpenToken"];
export type Overview = Bodies["Overview"];
export type Problem = Bodies["Problem"];
export type ReportPage = Bodies["ReportPage"];
export type ReportRow = Bodies["ReportRow"];
export type SensorDetail = Bodies["SensorDetail"];
export type SensorPage = Bodies["SensorPage"];
export type SensorRow = Bodies["SensorRow"];
export type SensorToken = Bodies["SensorToken"];
export type SensorUnit = Bodies["SensorUnit"];
export type Session = Bodies["Session"];
export type SourceRow = Bodies["SourceRow"];
export type Text = Bodies["Text"];
export type TokenOrder = Bodies["TokenOrder"];
export type TransferAct = Bodies["TransferAct"];
export type TransferChannel = Bodies["TransferChannel"];
export type TransferTrust = Bodies["TransferTrust"];
export type TransferChannels = Bodies["TransferChannels"];
export type TransferChoices = Bodies["TransferChoices"];
export type TransferDetail = Bodies["TransferDetail"];
export type TransferOrder = Bodies["TransferOrder"];
export type TransferPage = Bodies["TransferPage"];
export type TransferRow = Bodies["TransferRow"];
export type TransferUpload = Bodies["TransferUpload"];
export type VerifyResult = Bodies["VerifyResult"];

export type AlertState = AlertGroup["state"];
export type Classification = Bodies["CloseAlert"]["classification"];
export type Layer = CheckRow["layer"];
export type Severity = AlertGroup["severity"];
export type Verdict = CheckRow["verdict"];
