// An OpenID Connect provider with the users it is told of, whatever their password; run by oidc_provider.py.
// What it is told stands in its argument, as JSON: {port, issuer, redirectUri, clientId, clientSecret, users}.

import { Provider } from "oidc-provider";

const { port, issuer, redirectUri, clientId, clientSecret, users } = JSON.parse(process.argv[2]);

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: clientId,
      client_secret: clientSecret,
      redirect_uris: [redirectUri],
      grant_types: ["authorization_code"],
      response_types: ["code"],
    },
  ],
  claims: { openid: ["sub"], profile: ["preferred_username"], groups: ["groups"] },
  cookies: { keys: ["of tests alone"] },
  features: { devInteractions: { enabled: true } },
  findAccount: (_context, id) =>
    users[id] && { accountId: id, claims: () => ({ sub: id, preferred_username: id, groups: users[id] }) },
  pkce: { required: () => true },
});

provider.on("server_error", (_context, error) => console.error(error));
provider.on("grant.error", (_context, error) => console.error(error));
provider.listen(port, "localhost", () => console.log("listening"));
