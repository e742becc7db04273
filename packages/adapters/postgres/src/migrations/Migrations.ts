/** All migrations in order. A released one never changes; the next gets the next number and a line here. */
import core from "./0001_core.ts"
import auth from "./0002_auth.ts"
import bus from "./0003_bus.ts"
import liveSessions from "./0004_live_sessions.ts"
import queue from "./0005_queue.ts"
import sagaOperations from "./0006_saga_operations.ts"
import lists from "./0007_lists.ts"
import writeProbes from "./0008_write_probes.ts"
import labels from "./0009_labels.ts"
import storedOutput from "./0010_stored_output.ts"
import sagaSubject from "./0011_saga_subject.ts"
import words from "./0012_words.ts"

export const migrations = {
  "0001_core": core,
  "0002_auth": auth,
  "0003_bus": bus,
  "0004_live_sessions": liveSessions,
  "0005_queue": queue,
  "0006_saga_operations": sagaOperations,
  "0007_lists": lists,
  "0008_write_probes": writeProbes,
  "0009_labels": labels,
  "0010_stored_output": storedOutput,
  "0011_saga_subject": sagaSubject,
  "0012_words": words
}
