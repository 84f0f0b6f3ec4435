/** What the system administrator does with sensors. Each raises ApiError where the center refuses. */
import { post, remove } from "../api/client";
import type { SensorRow, SensorToken, TokenOrder } from "../api/types";

const path = (sensor: string, action: string) => `sensors/${encodeURIComponent(sensor)}/${action}`;

/** A one-time token; the center tells it this once. */
export function giveToken(order: TokenOrder): Promise<SensorToken> {
  return post<SensorToken>("sensors/tokens", order);
}

/** Let an open token enrol nobody. */
export function withdraw(token: string): Promise<unknown> {
  return remove(`sensors/tokens/${encodeURIComponent(token)}`);
}

/** Refuse a sensor from now on. */
export function revoke(sensor: string, reason: string): Promise<SensorRow> {
  return post<SensorRow>(path(sensor, "revoke"), { reason });
}

/** Let a sensor's events belong to another unit. */
export function move(sensor: string, unit: string, group: string): Promise<SensorRow> {
  return post<SensorRow>(path(sensor, "move"), { unit, group });
}

/** Take what a sensor still has, and nothing after it. */
export function drain(sensor: string): Promise<SensorRow> {
  return post<SensorRow>(path(sensor, "drain"));
}

/** Take everything again. */
export function resume(sensor: string): Promise<SensorRow> {
  return post<SensorRow>(path(sensor, "resume"));
}
