import { expect, test } from "vitest";
import { isSameModel } from "../../../src/adapters/ollama/names.ts";
import { ollamaAddress } from "../../../src/domain/llm/ollama-address.ts";

test.each([
  ["llama3", "llama3:latest"],
  ["library/llama3", "llama3"],
  ["registry.ollama.ai/library/llama3:8b", "llama3:8b"],
  ["https://registry.ollama.ai/library/llama3:8b", "llama3:8b"],
  ["maker/model", "maker/model:latest"],
  ["hf.co/Maker/Model-GGUF:Q4_K_M", "hf.co/maker/model-gguf:q4_k_m"],
  ["registry.acme.example:5000/ml/triage:1", "registry.acme.example:5000/ml/triage:1"],
])("%s is %s", (one, other) => {
  expect(isSameModel(one, other)).toBe(true);
});

test.each([
  ["llama3:8b", "llama3:70b"],
  ["maker/llama3", "llama3"],
  ["hf.co/maker/model", "maker/model"],
  ["registry.acme.example:5000/ml/triage", "registry.acme.example:5001/ml/triage"],
])("%s is not %s", (one, other) => {
  expect(isSameModel(one, other)).toBe(false);
});

test.each([
  ["ollama", "http://ollama:11434"],
  ["ollama:8080", "http://ollama:8080"],
  [":8080", "http://127.0.0.1:8080"],
  ["0.0.0.0", "http://127.0.0.1:11434"],
  ["0.0.0.0:11434", "http://127.0.0.1:11434"],
  ["[::]:11434", "http://127.0.0.1:11434"],
  ["::1", "http://[::1]:11434"],
  ["[::1]:8080", "http://[::1]:8080"],
  ["http://ollama", "http://ollama"],
  ["https://models.acme.example/ollama/", "https://models.acme.example/ollama"],
  ["HTTP://ollama:11434", "http://ollama:11434"],
  ['"ollama:1"', "http://ollama:1"],
])("OLLAMA_HOST=%s is %s", (text, address) => {
  expect(ollamaAddress(text)).toBe(address);
});

test.each(["tcp://ollama:1", "a b", "http://[", "ollama:port"])("OLLAMA_HOST=%s is no address", (text) => {
  expect(ollamaAddress(text)).toBeUndefined();
});
