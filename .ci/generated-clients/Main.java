import fairlead.ApiClient;
import fairlead.api.AuthApi;
import fairlead.api.ExecutionsApi;
import fairlead.model.ExecutionRequest;
import fairlead.model.ExecutionResult;
import fairlead.model.Login;

/** Logs in, runs a script and reads its result with a client that openapi-generator generated. Arguments: address, name, password. */
public class Main {
  public static void main(String[] arguments) throws Exception {
    ApiClient client = new ApiClient();
    client.updateBaseUri(arguments[0]);
    String token = new AuthApi(client).authLogin(new Login().username(arguments[1]).password(arguments[2])).getAccessToken();
    client.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + token));

    ExecutionsApi executions = new ExecutionsApi(client);
    ExecutionRequest asked = new ExecutionRequest().script("echo \"$GREETING\"").lang("bash").langVersion("5").putEnvItem("GREETING", "hello from java");
    var submitted = executions.executionsSubmit(asked, null, null, null, null);
    ExecutionResult result = executions.executionsResult(submitted.getExecutionId(), 30, null);
    if (!"completed".equals(result.getStatus().getValue()) || !"hello from java\n".equals(result.getStdout()))
      throw new AssertionError(result);
  }
}
