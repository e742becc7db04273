/** How the errors of the auth areas are told. None says whether a user exists. */
import {
  ApiKeyNotFound,
  ApiKeysExhausted,
  CredentialsRejected,
  CurrentPasswordWrong,
  LoginLocked,
  LoginsBusy,
  PasswordTooWeak,
  RegistrationClosed,
  RegistrationsExhausted,
  TokenRejected,
  UsernameTaken
} from "@fairlead/core/auth/AuthError"
import { problem } from "../Problem.ts"

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
export const registrationClosed = problem(RegistrationClosed, {
  status: 403,
  title: "Registration closed",
  detail: () => "Users cannot register themselves here; ask an administrator for an account."
})
export const registrationsExhausted = problem(RegistrationsExhausted, {
  status: 429,
  title: "Too many registrations",
  detail: ({ maximum, retryAfterSeconds }) =>
    `${maximum} users were registered from this address lately; try again in ${retryAfterSeconds} s.`
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
