/** The client and the page against a host that runs real scripts. The page needs a browser: FAIRLEAD_TEST_CHROMIUM is the path of Chromium. */
import { type ChildProcess, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { FairleadClient, login } from "@fairlead/client"
import { type Browser, chromium, type Page } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { adminPassword, type HostProcess, startHost } from "../../reference-host/test/support/HostProcess.ts"

const executablePath = process.env["FAIRLEAD_TEST_CHROMIUM"]
const pauses = 'import time\nprint("first", flush=True)\ntime.sleep(2)\nprint("last")\nraise SystemExit(3)'

let host: HostProcess
beforeAll(async () => {
  host = await startHost()
}, 60_000)
afterAll(() => host.stop())

describe("the client", () => {
  const connect = () =>
    new FairleadClient({ baseUrl: host.url, auth: login({ username: "admin", password: adminPassword }) })

  it("tells the first line before the script has ended", async () => {
    const client = connect()
    let told = ""
    const at: Array<number> = []
    const result = await client.run({
      script: pauses,
      lang_version: "3",
      onOutput: ({ text }) => {
        told += text
        for (const [i, word] of ["first", "last"].entries()) if (told.includes(word)) at[i] ??= performance.now()
      }
    })
    assert.deepInclude(result, { status: "failed", exit_code: 3, stdout: "first\nlast\n" })
    assert.strictEqual(told, "first\nlast\n")
    assert.isAbove((at[1] ?? 0) - (at[0] ?? 0), 1000)
  })

  it("ends the script when the call is aborted", async () => {
    const client = connect()
    const abort = new AbortController()
    let id = ""
    const running = client.run({
      script: 'import time\nprint("on", flush=True)\ntime.sleep(60)',
      lang_version: "3",
      signal: abort.signal,
      onAccepted: ({ execution_id }) => {
        id = execution_id
      },
      onOutput: () => abort.abort()
    })
    assert.deepInclude(await running.catch((error: unknown) => error), { code: "ABORTED" })
    const { status } = await client.executions.result(id, { waitSeconds: 10 })
    assert.strictEqual(status, "cancelled")
  })
})

describe.skipIf(executablePath === undefined)("the page, needs FAIRLEAD_TEST_CHROMIUM", () => {
  let server: ChildProcess
  let address: string
  let browser: Browser
  beforeAll(async () => {
    server = spawn(process.execPath, [fileURLToPath(new URL("../serve.js", import.meta.url))], {
      env: { PATH: process.env["PATH"], FAIRLEAD_URL: host.url, PORT: "0" },
      stdio: ["ignore", "pipe", "inherit"]
    })
    address = await new Promise((resolve, reject) => {
      server.once("exit", (code) => reject(new Error(`the page's server ended with ${code}`)))
      server.stdout?.on("data", (chunk) => {
        const found = /at (http:\S+)/.exec(`${chunk}`)?.[1]
        if (found !== undefined) resolve(found)
      })
    })
    browser = await chromium.launch({
      ...(executablePath === undefined ? {} : { executablePath }),
      args: ["--no-sandbox", "--disable-dev-shm-usage"]
    })
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    server?.kill()
  })

  /** A page of its own, with everything it complained about. */
  const open = async () => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 860 } })
    const faults: Array<string> = []
    page.on("pageerror", (error) => faults.push(error.message))
    page.on("console", (message) => {
      // A browser reports each refused call; the first question of the page, who is there, is refused.
      if (message.type() === "error" && !message.text().includes("401")) faults.push(message.text())
    })
    await page.goto(address)
    return { page, faults }
  }
  const enter = async (page: Page, username: string, password: string) => {
    await page.getByLabel("Username").fill(username)
    await page.getByLabel("Password").fill(password)
    await page.locator("#enter").click()
    await page.getByLabel("Language").waitFor()
    assert.isTrue(await page.getByLabel("Username").isHidden())
  }
  const status = (page: Page, wanted: string) => page.locator(`#status[data-status="${wanted}"]`).waitFor()

  it("logs in, shows the first line while the script runs, and then how it ended", async () => {
    const { faults, page } = await open()
    await page.getByLabel("Username").waitFor()
    assert.isTrue(await page.getByLabel("Script text").isHidden())
    await enter(page, "admin", adminPassword)
    assert.isNotEmpty(await page.getByLabel("Script text").inputValue())
    await page.getByLabel("Script text").fill(pauses)
    await page.getByRole("button", { name: "Run" }).click()
    await page.getByText("first").and(page.locator("#output *")).waitFor()
    assert.strictEqual(await page.locator("#status").textContent(), "running")
    assert.notInclude(await page.locator("#output").textContent(), "last")
    await status(page, "failed")
    assert.strictEqual(await page.locator("#output").textContent(), "first\nlast\n")
    assert.strictEqual(await page.locator("#exit-code").textContent(), "3")
    assert.match((await page.locator("#wall-time").textContent()) ?? "", /^2\.\d\d s$/)
    assert.deepStrictEqual(faults, [])
    await page.close()
  })

  it("registers, runs an example by keyboard, and is still logged in after a reload", async () => {
    const { faults, page } = await open()
    await page.getByRole("button", { name: "I have no account yet" }).click()
    await page.getByLabel("E-mail address").fill("grace@example.org")
    await enter(page, "grace", "nanoseconds of wire")
    await page.getByLabel("Script text").focus()
    await page.keyboard.press("Control+Enter")
    await status(page, "completed")
    assert.include((await page.locator("#output").textContent()) ?? "", "Python 3")
    await page.reload()
    await page.getByLabel("Language").waitFor()
    assert.strictEqual(await page.locator("#who").textContent(), "grace")
    await page.getByRole("button", { name: "Log out" }).click()
    await page.getByRole("button", { name: "Log in", exact: true }).waitFor()
    assert.deepStrictEqual(faults, [])
    await page.close()
  })

  it("cancels", async () => {
    const { faults, page } = await open()
    await enter(page, "admin", adminPassword)
    await page.getByLabel("Script text").fill('import time\nprint("on", flush=True)\ntime.sleep(60)')
    await page.getByRole("button", { name: "Run" }).click()
    await page.getByText("on", { exact: true }).and(page.locator("#output *")).waitFor()
    await page.getByRole("button", { name: "Cancel" }).click()
    await status(page, "cancelled")
    assert.deepStrictEqual(faults, [])
    await page.close()
  })

  it("says what was wrong with a login", async () => {
    const { page } = await open()
    await page.getByLabel("Username").fill("admin")
    await page.getByLabel("Password").fill("wrong")
    await page.locator("#enter").click()
    await page.getByText("The username or the password is wrong.").waitFor()
    await page.close()
  })
})
