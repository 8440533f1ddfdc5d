// npm @boxyhq/saml-jackson behind plain node:http, everything in memory: one tenant with one SAML connection.
//
//   node jackson_peer.js < metadata.xml      its stdin is the IdP's metadata; the first line of stdout is its address
//
//   GET  /authorize?…    302 to the IdP
//   POST /acs            302 to the application, with a code
//   POST /token          JSON with an access_token
//   GET  /userinfo       JSON of the profile
//   GET  /about          JSON: client_id, client_secret, and the CPU microseconds spent so far
"use strict";

const http = require("node:http");
const crypto = require("node:crypto");
const jackson = require("@boxyhq/saml-jackson").default;

const APPLICATION = "http://127.0.0.1:1/callback";
const quiet = { info() {}, warn() {}, error() {} };

async function body(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Object.fromEntries(new URLSearchParams(Buffer.concat(parts).toString()));
}

function keyPair() {
  const encoding = { publicKeyEncoding: { type: "spki", format: "pem" }, privateKeyEncoding: { type: "pkcs8", format: "pem" } };
  const { privateKey, publicKey } = crypto.generateKeyPairSync("rsa", { modulusLength: 2048, ...encoding });
  return { private: Buffer.from(privateKey).toString("base64"), public: Buffer.from(publicKey).toString("base64") };
}

async function main(metadata) {
  const server = http.createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.keepAliveTimeout = 600_000;
  const url = `http://127.0.0.1:${server.address().port}`;
  const { oauthController, connectionAPIController } = await jackson({
    externalUrl: url,
    samlPath: "/acs",
    samlAudience: `${url}/metadata`,
    db: { engine: "mem" },
    openid: { jwsAlg: "RS256", jwtSigningKeys: keyPair() },
    noAnalytics: true,
    logger: quiet,
  });
  const made = await connectionAPIController.createSAMLConnection({
    tenant: "kicks",
    product: "bench",
    rawMetadata: metadata,
    defaultRedirectUrl: APPLICATION,
    redirectUrl: JSON.stringify([APPLICATION]),
  });
  const pages = {
    "/authorize": async (request, address) => {
      const asked = Object.fromEntries(address.searchParams);
      return { to: (await oauthController.authorize({ ...asked, client_id: made.clientID })).redirect_url };
    },
    "/acs": async (request) => ({ to: (await oauthController.samlResponse(await body(request))).redirect_url }),
    "/token": async (request) => ({ json: await oauthController.token(await body(request), request.headers.authorization) }),
    "/userinfo": async (request) => ({
      json: await oauthController.userInfo((request.headers.authorization || "").slice("Bearer ".length)),
    }),
    "/about": async () => {
      const { user, system } = process.cpuUsage();
      return { json: { client_id: made.clientID, client_secret: made.clientSecret, cpu: user + system } };
    },
  };
  server.on("request", async (request, response) => {
    const address = new URL(request.url, url);
    try {
      const told = await pages[address.pathname](request, address);
      if (told.to) response.writeHead(302, { Location: told.to }).end();
      else response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(told.json));
    } catch (error) {
      response.writeHead(error.statusCode || 400).end(String(error.message));
    }
  });
  console.log(url);
}

const given = [];
process.stdin.on("data", (part) => given.push(part));
process.stdin.on("end", () => main(Buffer.concat(given).toString()));
