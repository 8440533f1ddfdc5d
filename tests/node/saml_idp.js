// A SAML identity provider of other people's making, npm `samlp`, on a free port of 127.0.0.1.
//
// stdin begins with one line of JSON, {"issuer", "key", "certificate"} (both PEM), and its end ends the program; stdout
// gets one line, the address. Then an admin's work is
//
//   PUT /people/<id>        a person as Passport describes people, with `groups`
//   PUT /service-provider   {"entityId", "acsUrl", "sloUrl", "signingCert", "options"}; `options` are samlp's own
//
// and a browser whose cookie `person` holds the id of one of these people is signed in here, until it is signed out by
// single logout: GET /slo begins one here, and takes a service provider's messages, as POST /slo does.

"use strict";

const { randomUUID } = require("node:crypto");
const express = require("express");
const { createInterface } = require("node:readline");
const samlp = require("samlp");
const Profile = require("samlp/lib/claims/PassportProfileMapper");
const SessionParticipants = require("samlp/lib/sessionParticipants");

const GROUPS = "http://schemas.xmlsoap.org/claims/Group"; // as Auth0, whose samlp is, names them by default

/** samlp's own claims, and groups under the name that Auth0 gives them. */
class ProfileWithGroups extends Profile {
  getClaims() {
    const { groups, ...rest } = this._pu;
    return { ...new Profile(rest).getClaims(), [GROUPS]: groups };
  }
}

/** What samlp keeps of a logout under way; its own store wants express-session. */
class Logouts {
  #kept = new Map();
  save(request, state, callback) {
    const handle = randomUUID();
    this.#kept.set(handle, state);
    callback(null, handle);
  }
  load(request, handle, options, callback) {
    const state = this.#kept.get(handle);
    if (options.destroy) this.#kept.delete(handle);
    (callback || options)(null, state);
  }
  update(request, handle, state, callback) {
    this.#kept.set(handle, state);
    callback(null);
  }
}

const REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";
const POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";

function makeIdp({ issuer, key, certificate }) {
  const people = new Map();
  const serviceProviders = new Map();
  const participants = new Map(); // of each person: where they are signed in
  const logouts = new Logouts();
  const personOf = (request) => /\bperson=([\w-]+)/.exec(request.headers.cookie)?.[1];
  const app = express();
  app.use(express.json(), express.urlencoded({ extended: false }));

  app.put("/people/:id", (request, response) => {
    people.set(request.params.id, { id: request.params.id, ...request.body });
    response.sendStatus(204);
  });

  app.put("/service-provider", (request, response) => {
    serviceProviders.set(request.body.entityId, request.body);
    response.sendStatus(204);
  });

  const endpoints = {
    redirectEndpointPath: "/sso",
    postEndpointPath: "/sso",
    logoutEndpointPaths: { redirect: "/slo", post: "/slo" },
  };
  app.get("/metadata", samlp.metadata({ issuer, cert: certificate, profileMapper: ProfileWithGroups, ...endpoints }));

  app.all("/sso", (request, response, next) => {
    samlp.parseRequest(request, (error, asked) => {
      const sp = asked && serviceProviders.get(asked.issuer);
      if (error || !sp) return next(error || new Error("no such service provider"));
      const person = personOf(request);
      const sessionIndex = `_${randomUUID()}`;
      if (people.has(person)) {
        const held = participants.get(person) || new SessionParticipants();
        participants.set(person, held);
        held._participants.push({
          serviceProviderId: sp.entityId,
          nameId: person,
          nameIdFormat: "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
          sessionIndex,
          serviceProviderLogoutURL: sp.sloUrl,
          cert: sp.signingCert,
          binding: sp.options.logoutByPost ? POST : REDIRECT,
        });
      }
      const answer = samlp.auth({
        issuer,
        key,
        cert: certificate,
        signingCert: sp.signingCert, // given one, samlp demands signed requests
        profileMapper: (person) => new ProfileWithGroups(person),
        getUserFromRequest: () => people.get(person),
        sessionIndex,
        getPostURL: (audience, dom, incoming, callback) => callback(null, sp.acsUrl),
        destination: sp.acsUrl, // left out, samlp writes the audience there
        recipient: sp.acsUrl,
        ...sp.options,
      });
      answer(request, response, next);
    });
  });

  app.all("/slo", (request, response, next) => {
    request.body ??= {};
    const person = personOf(request);
    const leave = samlp.logout({
      issuer,
      key,
      cert: certificate,
      deflate: true,
      store: logouts,
      sessionParticipants: participants.get(person) || new SessionParticipants(),
      clearIdPSession: (callback) => {
        people.delete(person);
        callback(null);
      },
    });
    leave(request, response, next);
  });

  // Express knows an error handler by its four parameters.
  app.use((error, request, response, next) => response.status(400).type("text").send(error.message));
  return app;
}

const input = createInterface({ input: process.stdin });
input.once("line", (line) => {
  const server = makeIdp(JSON.parse(line)).listen(0, "127.0.0.1", () => {
    console.log(`http://127.0.0.1:${server.address().port}`);
  });
});
input.once("close", () => process.exit());
