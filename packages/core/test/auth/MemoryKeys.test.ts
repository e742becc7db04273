import { AccessTokens } from "@fairlead/core/auth/sessions/AccessTokens"
import { PasswordHasher } from "@fairlead/core/auth/users/PasswordHasher"
import { Secrets } from "@fairlead/core/secrets/Secrets"
import * as AccessTokensContract from "@fairlead/testing/contracts/AccessTokensContract"
import * as PasswordHasherContract from "@fairlead/testing/contracts/PasswordHasherContract"
import * as SecretsContract from "@fairlead/testing/contracts/SecretsContract"

PasswordHasherContract.suite("memory", PasswordHasher.layerMemory)
AccessTokensContract.suite("memory", AccessTokens.layerMemory)
SecretsContract.suite("memory", Secrets.layerMemory)
