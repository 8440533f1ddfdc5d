// An OpenID provider of other people's making, npm `oidc-provider`, which is certified, on a free port of 127.0.0.1.
//
// stdin's end ends the program; stdout gets one line, the address, which is the issuer. Then an admin's work is
//
//   PUT /people/<id>   claims of a person, with `groups`
//   PUT /clients/<id>  a client's metadata (OpenID Connect Dynamic Client Registration 1.0 2)
//
// and a browser whose cookie `person` holds the id of one of these people is signed in here without being asked.

"use strict";

const express = require("express");

const CLAIMS = { email: ["email", "email_verified"], profile: ["name"], groups: ["groups"] };

/** Clients are looked up where the admin put them; everything else is kept as the library keeps it by default. */
function adapterOver(clients, MemoryAdapter) {
  return class extends MemoryAdapter {
    constructor(model) {
      super(model);
      this.ofClients = model === "Client";
    }
    async find(id) {
      return this.ofClients ? clients.get(id) : super.find(id);
    }
  };
}

async function consentTo(provider, details, accountId) {
  const grant = new provider.Grant({ accountId, clientId: details.params.client_id });
  grant.addOIDCScope(details.params.scope);
  return { login: { accountId }, consent: { grantId: await grant.save() } };
}

async function makeProvider(issuer) {
  const { Provider } = await import("oidc-provider");
  const { default: MemoryAdapter } = await import("oidc-provider/lib/adapters/memory_adapter.js");
  const people = new Map();
  const clients = new Map();
  const provider = new Provider(issuer, {
    adapter: adapterOver(clients, MemoryAdapter),
    claims: CLAIMS,
    scopes: ["openid", "groups"],
    cookies: { keys: ["for tests"] },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: { enabled: true },
    },
    // Its own fetch goes to no private address, where we are.
    fetch: (url, { dispatcher, ...options }) => fetch(url, options),
    findAccount: (_, id) => people.has(id) && { accountId: id, claims: () => ({ sub: id, ...people.get(id) }) },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    pkce: { required: () => true },
  });

  const app = express();
  app.put("/people/:id", express.json(), (request, response) => {
    people.set(request.params.id, request.body);
    response.sendStatus(204);
  });
  app.put("/clients/:id", express.json(), (request, response) => {
    clients.set(request.params.id, { client_id: request.params.id, ...request.body });
    response.sendStatus(204);
  });
  app.get("/interaction/:uid", async (request, response) => {
    const details = await provider.interactionDetails(request, response);
    const person = /\bperson=([\w-]+)/.exec(request.headers.cookie)?.[1];
    const result = people.has(person)
      ? await consentTo(provider, details, person)
      : { error: "access_denied", error_description: "Nobody is signed in here." };
    await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  });
  app.use(provider.callback());
  return app;
}

const server = require("node:http").createServer();
server.listen(0, "127.0.0.1", async () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  server.on("request", await makeProvider(issuer));
  console.log(issuer);
});
process.stdin.resume().once("end", () => process.exit());
