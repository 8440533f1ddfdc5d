// A relying party of other people's making, npm `openid-client`, which is certified.
//
// The argument is the issuer. stdin gets lines of JSON, stdout gives one line of JSON for each:
//
//   {"client_id", "client_secret", "redirect_uri", "basic"}   -> {"address"}: where to send the browser
//   {"arrived": the address that the browser came back to, "post_logout_redirect_uri"}
//       -> {"claims", "userinfo", "logout"}: all checked by the library, signatures too; "logout" is where to sign out
//
// What the library refuses is {"refused": why}. stdin's end ends the program.

"use strict";

const readline = require("node:readline");

async function begin(library, issuer, { client_id, client_secret, redirect_uri, basic }) {
  const way = basic ? library.ClientSecretBasic(client_secret) : library.ClientSecretPost(client_secret);
  const options = { execute: [library.allowInsecureRequests] };
  const config = await library.discovery(new URL(issuer), client_id, undefined, way, options);
  library.enableNonRepudiationChecks(config);
  const verifier = library.randomPKCECodeVerifier();
  const asked = { state: library.randomState(), nonce: library.randomNonce() };
  const address = library.buildAuthorizationUrl(config, {
    redirect_uri,
    scope: "openid profile email",
    max_age: "600",
    code_challenge: await library.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    ...asked,
  });
  return { config, verifier, asked, address };
}

async function finish(library, { config, verifier, asked }, { arrived, post_logout_redirect_uri }) {
  const tokens = await library.authorizationCodeGrant(config, new URL(arrived), {
    pkceCodeVerifier: verifier,
    expectedState: asked.state,
    expectedNonce: asked.nonce,
    maxAge: 600,
    idTokenExpected: true,
  });
  const claims = tokens.claims();
  const userinfo = await library.fetchUserInfo(config, tokens.access_token, claims.sub);
  const wanted = { id_token_hint: tokens.id_token, post_logout_redirect_uri, state: "done" };
  return { claims, userinfo, logout: library.buildEndSessionUrl(config, wanted).href };
}

async function main(issuer) {
  const library = await import("openid-client");
  let login;
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const given = JSON.parse(line);
    try {
      if (given.arrived) {
        console.log(JSON.stringify(await finish(library, login, given)));
      } else {
        login = await begin(library, issuer, given);
        console.log(JSON.stringify({ address: login.address.href }));
      }
    } catch (error) {
      console.log(JSON.stringify({ refused: `${error.name} ${error.code}: ${error.message} ${error.cause ?? ""}` }));
    }
  }
}

main(process.argv[2]);
