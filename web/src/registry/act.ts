/** What a person does with the registry. Each raises ApiError where the center refuses. */
import { post, put, remove, upload, withQuery } from "../api/client";
import type {
  AssetOrder,
  AssetRow,
  ContactOrder,
  ContactRow,
  ImportResult,
  ItemStatementOrder,
  ItemStatementRow,
  ObjectOrder,
  ObjectRow,
  StepOrder,
  SystemDetail,
  SystemOrder,
  SystemRow,
  TaskRow,
  UnitOrder,
  UnitRow,
} from "../api/types";

const at = (...parts: string[]) => parts.map(encodeURIComponent).join("/");

export const sheets = ["units", "systems", "assets", "objects", "contacts"] as const;
export type Sheet = (typeof sheets)[number];

/** The classes of data that are objects of their own, as the registry names them. */
export const dataClasses = ["鉴别数据", "重要业务数据", "重要审计数据", "重要配置数据", "重要视频数据", "重要个人信息"] as const;

export const putUnit = (code: string, order: UnitOrder) => put<UnitRow>(at("units", code), order);
export const putSystem = (id: string, order: SystemOrder) => put<SystemRow>(at("systems", id), order);
export const takeStep = (system: string, order: StepOrder) => post<SystemDetail>(at("systems", system, "steps"), order);
export const putAsset = (system: string, order: AssetOrder) => post<AssetRow>(at("systems", system, "assets"), order);
export const putObject = (system: string, order: ObjectOrder) => post<ObjectRow>(at("systems", system, "objects"), order);
export const putContact = (unit: string, order: ContactOrder) => post<ContactRow>(at("units", unit, "contacts"), order);
export const dropContact = (number: number) => remove(at("contacts", String(number)));
export const dismissTask = (number: number, reason: string) => post<TaskRow>(at("registry", "tasks", String(number), "dismiss"), { reason });
export const state = (system: string, order: ItemStatementOrder) => post<ItemStatementRow>(at("systems", system, "statements"), order);
export const reviewStatement = (number: number, confirm: boolean, note: string) => post<ItemStatementRow>(at("statements", String(number), "review"), { confirm, note });
export const withdrawStatement = (number: number, note: string) => post<ItemStatementRow>(at("statements", String(number), "withdraw"), { note });

/** Hand a workbook ("" sheet) or one sheet's CSV in; a dry run changes nothing. */
export function importFile(file: Blob, sheet: Sheet | "", dryRun: boolean): Promise<ImportResult> {
  return upload<ImportResult>(withQuery("registry/import", { sheet, dry_run: String(dryRun) }), file);
}
