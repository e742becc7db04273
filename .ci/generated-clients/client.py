"""Logs in, runs a script and reads its result with a client that openapi-python-client generated. Arguments: address, name, password."""

import sys

from generated import AuthenticatedClient, Client
from generated.api.auth import auth_login
from generated.api.executions import executions_list, executions_logs, executions_result, executions_submit
from generated.models import ExecutionRequest, ExecutionRequestEnv, ExecutionsListStatusItem, Login

url, name, password = sys.argv[1:]
tokens = auth_login.sync(client=Client(url), body=Login(username=name, password=password))
client = AuthenticatedClient(url, token=tokens.access_token)

env = ExecutionRequestEnv()
env["GREETING"] = "hello from python"
asked = ExecutionRequest(script='echo "$GREETING"', lang="bash", lang_version="5", env=env)
submitted = executions_submit.sync(client=client, body=asked)
result = executions_result.sync(submitted.execution_id, client=client, wait_seconds=30)
assert (result.status, result.exit_code, result.stdout) == ("completed", 0, "hello from python\n"), result
listed = executions_list.sync(client=client, status=[ExecutionsListStatusItem.COMPLETED], limit=10)
assert submitted.execution_id in [execution.execution_id for execution in listed.executions], listed
assert executions_logs.sync_detailed(submitted.execution_id, client=client).content == b"hello from python\n"
