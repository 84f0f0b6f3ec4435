/** A site's approved map as outlines of a drawing; what does not fit the form is left out. */

export interface Shape {
  code: string;
  path: string;
  x: number;
  y: number;
}

type Point = [number, number];

interface Feature {
  properties?: Record<string, unknown> | null;
  geometry?: { type?: string; coordinates?: unknown } | null;
}

const points_max = 200_000;

function rings(feature: Feature): Point[][] {
  const { type, coordinates } = feature.geometry ?? {};
  if (!Array.isArray(coordinates)) return [];
  const polygons = type === "Polygon" ? [coordinates] : type === "MultiPolygon" ? coordinates : [];
  return polygons.flatMap((polygon) => (Array.isArray(polygon) ? polygon : [])).filter((ring): ring is Point[] => Array.isArray(ring) && ring.length > 2 && ring.every((point) => Array.isArray(point) && point.slice(0, 2).every(Number.isFinite)));
}

function codeOf(feature: Feature): string {
  const said = feature.properties?.adcode ?? feature.properties?.code ?? "";
  return String(said).slice(0, 4);
}

/** The features fitted into a box, north up, degrees of longitude shortened as they are in the middle. */
export function shapes(features: readonly Feature[], width: number, height: number): Shape[] {
  const known = features.map((feature) => ({ code: codeOf(feature), rings: rings(feature) })).filter((one) => one.rings.length);
  const all = known.flatMap((one) => one.rings.flat());
  if (!all.length || all.length > points_max) return [];
  const bounds = all.reduce((box, [x, y]) => [Math.min(box[0], x), Math.min(box[1], y), Math.max(box[2], x), Math.max(box[3], y)] as const, [Infinity, Infinity, -Infinity, -Infinity] as readonly [number, number, number, number]);
  const [west, south, east, north] = bounds;
  const narrowed = Math.cos((((south + north) / 2) * Math.PI) / 180) || 1;
  const scale = Math.min(width / ((east - west) * narrowed || 1), height / (north - south || 1));
  const left = (width - (east - west) * narrowed * scale) / 2;
  const top = (height - (north - south) * scale) / 2;
  const place = ([x, y]: Point): Point => [left + (x - west) * narrowed * scale, top + (north - y) * scale];
  return known.map((one) => {
    const placed = one.rings.map((ring) => ring.map(place));
    const largest = placed.reduce((best, ring) => (ring.length > best.length ? ring : best));
    const path = placed.map((ring) => `M${ring.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L")}Z`).join("");
    const middle = largest.reduce(([x, y], [px, py]) => [x + px / largest.length, y + py / largest.length] as Point, [0, 0] as Point);
    return { code: one.code, path, x: middle[0], y: middle[1] };
  });
}
