import { expect, test } from "vitest";
import { askedQuantity } from "../../../src/manifests/locate/survey-questions.ts";

test.each<[string, string, { now?: string; other?: string }, string]>([
  ["what nobody wrote yet", "limits.memory", {}, "777Mi"],
  ["what fits", "requests.memory", { now: "1Gi", other: "2Gi" }, "777Mi"],
  ["another one than is there", "limits.cpu", { now: "0.333" }, "444m"],
  ["less than the limit", "requests.cpu", { now: "100m", other: "100m" }, "50m"],
  ["less than the limit, and not what is there", "requests.memory", { now: "64Mi", other: "128Mi" }, "32768Ki"],
  ["more than the request", "limits.memory", { now: "1Gi", other: "1Gi" }, "2097152Ki"],
  ["more than the request, and not what is there", "limits.cpu", { now: "2", other: "1" }, "3000m"],
])("a survey asks for %s", (_, field, { now, other }, wanted) => {
  expect(askedQuantity(field, { now, other })).toBe(wanted);
});
