/** The page: logs in with the cookies of its own origin, runs a script and shows what it writes while it writes it. */
import { type ExecutionResult, FairleadClient, FairleadError, type OutputFrame } from "@fairlead/client"

const fairlead = new FairleadClient({ auth: { kind: "session" } })

/** The element with this id, which is one of that kind. */
const element = <E extends HTMLElement>(id: string, kind: new () => E): E => {
  const found = document.getElementById(id)
  if (found instanceof kind) return found
  throw new Error(`the page has no ${kind.name} "${id}"`)
}
const plain = (id: string) => element(id, HTMLElement)
const button = (id: string) => element(id, HTMLButtonElement)
const input = (id: string) => element(id, HTMLInputElement)
const select = (id: string) => element(id, HTMLSelectElement)
const form = (id: string) => element(id, HTMLFormElement)
const script = element("script", HTMLTextAreaElement)
const output = plain("output")

/** Shown characters; what a script wrote before them is dropped from the page, not from the host. */
const mostShown = 500_000

let registering = false
let running: AbortController | undefined
let examples: Readonly<Record<string, string>> = {}

const explain = (error: unknown): string => (error instanceof FairleadError ? error.detail : String(error))

// Who is there

const showEntry = () => {
  plain("workbench").hidden = true
  plain("account").hidden = true
  plain("entry").hidden = false
  input("username").focus()
}

const showWorkbench = async (username: string) => {
  await loadLanguages()
  plain("entry").hidden = true
  plain("who").textContent = username
  plain("account").hidden = false
  plain("workbench").hidden = false
  script.focus()
}

const enter = async () => {
  const [username, password] = [input("username").value.trim(), input("password").value]
  if (registering) await fairlead.auth.register({ username, password, email: input("email").value.trim() })
  const { user } = await fairlead.auth.login({ username, password })
  form("entry-form").reset()
  await showWorkbench(user.username)
}

const switchEntry = () => {
  registering = !registering
  plain("entry-title").textContent = registering ? "Register" : "Log in"
  button("enter").textContent = registering ? "Register and log in" : "Log in"
  button("other-entry").textContent = registering ? "I have an account" : "I have no account yet"
  plain("email-field").hidden = !registering
  input("email").required = registering
  input("password").autocomplete = registering ? "new-password" : "current-password"
  plain("entry-error").textContent = ""
}

// What can be run

const fill = (list: HTMLSelectElement, values: ReadonlyArray<string>) =>
  list.replaceChildren(...values.map((value) => new Option(value, value)))

const loadLanguages = async () => {
  const [{ languages }, { scripts }] = await Promise.all([
    fairlead.health.capabilities(),
    fairlead.executions.examples()
  ])
  examples = scripts
  const names = Object.keys(languages).sort()
  fill(select("language"), names)
  if (names.includes("python")) select("language").value = "python"
  const showVersions = () => fill(select("version"), languages[select("language").value] ?? [])
  showVersions()
  select("language").onchange = () => {
    // A text of one's own stays.
    const untouched = script.value === "" || Object.values(examples).includes(script.value)
    showVersions()
    if (untouched) showExample()
  }
  if (script.value === "") showExample()
}

const showExample = () => {
  script.value = examples[select("language").value] ?? ""
}

// What runs

const showStatus = (status: string) => {
  plain("status").textContent = status
  plain("status").dataset["status"] = status
}

const showOutput = ({ stream, text }: OutputFrame) => {
  const atEnd = output.scrollHeight - output.scrollTop - output.clientHeight < 40
  const last = output.lastElementChild
  if (last?.className === stream && (last.textContent?.length ?? 0) < 20_000) last.append(text)
  else {
    const piece = document.createElement("span")
    piece.className = stream
    piece.textContent = text
    output.append(piece)
  }
  while (output.childElementCount > 1 && (output.textContent?.length ?? 0) > mostShown)
    output.firstElementChild?.remove()
  if (atEnd) output.scrollTop = output.scrollHeight
}

const seconds = (value: number) => `${value.toFixed(2)} s`

const showResult = ({ error_message, exit_code, resource_usage: used, truncated }: ExecutionResult) => {
  plain("exit-code").textContent = exit_code === null ? "none" : `${exit_code}`
  plain("wall-time").textContent = used === null ? "–" : seconds(used.execution_time_wall_seconds)
  plain("cpu-time").textContent =
    used === null || used.clk_tck_hertz === 0 ? "–" : seconds(used.cpu_time_jiffies / used.clk_tck_hertz)
  plain("memory").textContent = used === null ? "–" : `${(used.peak_memory_kb / 1024).toFixed(1)} MiB`
  plain("facts").hidden = false
  plain("ending").textContent = [error_message, truncated ? "The output was longer than what is kept." : null]
    .filter((line) => line !== null)
    .join(" ")
}

const run = async () => {
  if (running !== undefined) return
  running = new AbortController()
  const { signal } = running
  button("run").disabled = true
  button("cancel").disabled = false
  output.replaceChildren()
  plain("facts").hidden = true
  plain("ending").textContent = ""
  showStatus("submitting")
  try {
    const result = await fairlead.run({
      script: script.value,
      lang: select("language").value,
      lang_version: select("version").value,
      signal,
      onStatus: showStatus,
      onOutput: showOutput
    })
    showResult(result)
  } catch (error) {
    if (!signal.aborted) throw error
    showStatus("cancelled")
  } finally {
    running = undefined
    button("run").disabled = false
    button("cancel").disabled = true
  }
}

/** What the user did, with a place for what went wrong. A session that has ended leads back to the login. */
const guarded = (place: string, action: () => Promise<void>) => async (event: Event) => {
  event.preventDefault()
  plain(place).textContent = ""
  try {
    await action()
  } catch (error) {
    if (error instanceof FairleadError && error.code === "UNAUTHORIZED") showEntry()
    if (place === "run-error") showStatus("not run")
    plain(place).textContent = explain(error)
  }
}

form("entry-form").addEventListener("submit", guarded("entry-error", enter))
button("other-entry").addEventListener("click", switchEntry)
form("run-form").addEventListener("submit", guarded("run-error", run))
script.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form("run-form").requestSubmit()
})
button("example").addEventListener("click", showExample)
button("cancel").addEventListener("click", () => running?.abort())
button("logout").addEventListener(
  "click",
  guarded("run-error", async () => {
    running?.abort()
    await fairlead.auth.logout()
    showEntry()
  })
)

fairlead.auth
  .me()
  .then(({ username }) => showWorkbench(username))
  .catch((error: unknown) => {
    showEntry()
    if (!(error instanceof FairleadError && error.code === "UNAUTHORIZED"))
      plain("entry-error").textContent = explain(error)
  })
