/** How the errors of the auth areas are told. None says whether a user exists. */
import {
  ApiKeyNotFound,
  ApiKeysExhausted,
  CredentialsRejected,
  CurrentPasswordWrong,
  EmailTaken,
  LoginLocked,
  LoginsBusy,
  PasswordTooWeak,
  TokenRejected,
  UsernameTaken
} from "@fairlead/core/auth/AuthError"
import { problem } from "./Problem.ts"

export const credentialsRejected = problem(CredentialsRejected, {
  status: 401,
  title: "Login failed",
  detail: () => "The username or the password is wrong."
})
export const loginLocked = problem(LoginLocked, {
  status: 423,
  title: "Login locked",
  detail: ({ retryAfterSeconds }) => `Too many failed logins for this name; try again in ${retryAfterSeconds} s.`
})
export const loginsBusy = problem(LoginsBusy, {
  status: 429,
  title: "Too many logins",
  detail: ({ retryAfterSeconds }) => `Too many logins at this moment; try again in ${retryAfterSeconds} s.`
})
export const tokenRejected = problem(TokenRejected, {
  status: 401,
  title: "Token refused",
  detail: () => "The token is malformed, expired or revoked. Log in again."
})
export const usernameTaken = problem(UsernameTaken, {
  status: 409,
  title: "Username taken",
  detail: ({ username }) => `There is a user ${username} already.`
})
export const emailTaken = problem(EmailTaken, {
  status: 409,
  title: "E-mail address taken",
  detail: ({ email }) => `There is a user with the address ${email} already.`
})
export const passwordTooWeak = problem(PasswordTooWeak, {
  status: 422,
  title: "Password too weak",
  detail: ({ minimumLength, rules }) =>
    `The password breaks these rules: ${rules.join(", ")}. It needs at least ${minimumLength} characters.`
})
export const currentPasswordWrong = problem(CurrentPasswordWrong, {
  status: 401,
  title: "Current password wrong",
  detail: () => "The current password is not this one."
})
export const apiKeyNotFound = problem(ApiKeyNotFound, {
  status: 404,
  title: "No such API key",
  detail: ({ apiKeyId }) => `You have no API key ${apiKeyId}.`
})
export const apiKeysExhausted = problem(ApiKeysExhausted, {
  status: 409,
  title: "Too many API keys",
  detail: ({ maximum }) => `You hold ${maximum} API keys, the most there may be. Delete one first.`
})
