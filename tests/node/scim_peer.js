// A SCIM server of other people's making, npm `scimmy-routers`, in memory, on a free port of 127.0.0.1.
//
// stdout gets one line, the address; stdin's end ends the program. It is given what a good database would give it: a
// person by id or userName without a search, and a page already cut out.

"use strict";

const { randomUUID } = require("node:crypto");
const express = require("express");
const SCIMMY = require("scimmy").default ?? require("scimmy");
const SCIMMYRouters = require("scimmy-routers").default ?? require("scimmy-routers");

const LOOK_UP = /^userName eq "([^"]*)"$/;

class Collection {
  constructor() {
    this.byId = new Map();
    this.byName = new Map();
    this.all = [];
  }

  write(id, said) {
    const known = this.byId.get(id);
    const now = new Date().toISOString();
    const written = { ...said, id: known?.id ?? randomUUID(), meta: { created: known?.meta.created ?? now, lastModified: now } };
    if (known) this.all[known.place] = written;
    Object.defineProperty(written, "place", { value: known?.place ?? this.all.push(written) - 1 });
    this.byId.set(written.id, written);
    if (written.userName) this.byName.set(written.userName.toLowerCase(), written);
    return written;
  }

  read({ id, filter, constraints = {} }) {
    if (id) {
      const found = this.byId.get(id);
      if (!found) throw new SCIMMY.Types.Error(404, null, `There is no ${id}`);
      return found;
    }
    const name = LOOK_UP.exec(filter?.expression ?? "")?.[1];
    if (name !== undefined) return [this.byName.get(name.toLowerCase())].filter(Boolean);
    const { startIndex = 1, count = 100 } = constraints;
    return this.all.slice(startIndex - 1, startIndex - 1 + count);
  }
}

for (const kind of [SCIMMY.Resources.User, SCIMMY.Resources.Group]) {
  const collection = new Collection();
  SCIMMY.Resources.declare(kind)
    .ingress(({ id }, said) => collection.write(id, JSON.parse(JSON.stringify(said))))
    .egress((asked) => collection.read(asked))
    .degress(() => undefined);
}

SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser, false);

const app = express();
const handler = (request) => {
  if (!request.header("Authorization")?.startsWith("Bearer ")) throw new Error("no token");
  return "idp";
};
app.use("/scim/v2", new SCIMMYRouters({ type: "bearer", handler }));
const server = app.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
server.keepAliveTimeout = 0; // a client that is timing something else for a while is still there
process.stdin.resume().once("end", () => process.exit());
