/** A username for somebody who gave only an e-mail address: the part before the @, or all of it when that is too short. */
export const usernameFrom = (email: string): string => {
  const [local = "", domain = ""] = email.split("@", 2)
  const short = allowed(local)
  return short.length >= 3 ? short : allowed(`${local}.${domain}`).padEnd(3, "0")
}

const allowed = (text: string) =>
  text
    .replace(/[^A-Za-z0-9._-]/g, "")
    .replace(/^[._-]+/, "")
    .slice(0, 64)
