// An identity provider (OpenID Connect), for tests: `node identity.mjs ISSUER BACK SECRET PEOPLE PORT HOST...`. PEOPLE is a
// file of claims by login; it is read at each sign-in, so that a test changes groups by writing it. The login page takes any
// password.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const [issuer, back, secret, people, port, ...hosts] = process.argv.slice(2);
const provider = new Provider(issuer, {
  clients: [{ client_id: "panel", client_secret: secret, redirect_uris: [back], response_types: ["code"], grant_types: ["authorization_code"] }],
  claims: { openid: ["sub"], profile: ["preferred_username", "groups"], email: ["email", "email_verified"] },
  cookies: { keys: ["signs the cookies of the tests"] },
  features: { devInteractions: { enabled: true } },
  pkce: { required: () => true },
  findAccount: (_, id) => {
    const known = JSON.parse(readFileSync(people, "utf8"))[id];
    return known && { accountId: id, claims: () => ({ ...known, sub: id }) };
  },
  // Nobody is asked whether the panel may know who they are.
  loadExistingGrant: async ({ oidc }) => {
    const grant = new provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope("openid profile email");
    await grant.save();
    return grant;
  },
});
for (const host of hosts) createServer(provider.callback()).listen(Number(port), host);
