"""Writes the people and groups of the demo's two companies: company_idp.json and studio_nord_idp.json.

Run it after a change here: `python config/demo/make_people.py`. It uses no randomness: the same source gives
the same bytes, which a test checks. Who is named in a story about access is written out below; everybody else
is a given name and a family name taken in turn, and fills a group up to its size.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from unicodedata import normalize

HERE = Path(__file__).parent
PASSWORD = "kicks-demo"  # noqa: S105 - printed on the simulated login page itself
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

#: The groups that Kicks Co's Okta pushes, with what each is. The first seven are named in a rule.
OKTA_GROUPS = {
    "eng-prod": "May touch the production servers",
    "data-prod": "Looks after production data",
    "eng-mobile": "iOS and Android engineers",
    "eng-web": "Web engineers",
    "marketing": "Marketing, all countries",
    "analytics-eu": "Analysts in Europe",
    "workspace-admins": "Runs the customer-data workspace",
    "everyone": "All of Kicks Co",
    "contractor-dev": "Contract developers",
    "contractor-design": "Contract designers",
    "finance": "Finance and controlling",
    "people-ops": "People operations",
    "legal": "Legal and compliance",
    "customer-care": "Customer care",
    "sales-emea": "Sales in Europe, Middle East and Africa",
    "it-support": "Internal IT",
    "product": "Product managers and researchers",
    "design": "Product and brand design",
    "logistics": "Warehouses of shoes, and shipping",
    "office-lisbon": "Works from Lisbon",
    "office-malmo": "Works from Malmö",
}

#: Name, groups beside "everyone", job title. What they have here is told by the pages of the demo.
KICKS_PEOPLE = (
    ("Mei Tanaka", "workspace-admins eng-prod", "Head of Data Platform"),
    ("Clara Nyström", "workspace-admins it-support", "IT Lead"),
    ("Yusuf Karaca", "workspace-admins it-support", "IT Engineer"),
    ("Priya Raman", "eng-prod eng-mobile", "Staff Mobile Engineer"),
    ("Anya Volkova", "eng-prod office-malmo", "Backend Engineer"),
    ("Oskar Lind", "eng-prod office-malmo", "Site Reliability Engineer"),
    ("Tomás Herrera", "eng-mobile office-lisbon", "iOS Engineer"),
    ("Zoë Martin", "eng-mobile", "Android Engineer"),
    ("Femi Balogun", "eng-mobile office-lisbon", "iOS Engineer"),
    ("Joana Reis", "eng-mobile office-lisbon", "Android Engineer"),
    ("Liam Byrne", "eng-mobile", "iOS Engineer"),
    ("Nia Okafor", "eng-web", "Web Engineer"),
    ("Aiko Mori", "eng-web", "Web Engineer"),
    ("Mateo Silva", "eng-web office-lisbon", "Web Engineer"),
    ("Greta Holt", "eng-web office-malmo", "Web Engineer"),
    ("Samir Nasser", "eng-web", "Web Engineer"),
    ("Kofi Boateng", "data-prod", "Data Engineer"),
    ("Ravi Menon", "data-prod", "Data Engineer"),
    ("Elif Kaya", "data-prod", "Data Engineer"),
    ("Marta Nowak", "data-prod", "Data Engineer"),
    ("Chen Wei", "data-prod analytics-eu", "Analytics Engineer"),
    ("Laila Nasser", "data-prod analytics-eu", "Analytics Engineer"),
    ("Bruno Keller", "analytics-eu", "Analyst"),
    ("Ida Svensson", "analytics-eu office-malmo", "Analyst"),
    ("Hannah O’Neill", "marketing", "Campaign Lead"),
    ("Ibrahim Diallo", "", "Functions Developer"),
    ("Lars Holm", "", "Web Engineer"),
    ("Ines Duarte", "product office-lisbon", "Product Manager, Apps"),
    ("Paul Adeyemi", "product", "Product Manager, Apps"),
    ("Dana Fox", "customer-care", "Care Specialist"),
    ("Ana Costa", "customer-care office-lisbon", "Care Specialist"),
    ("Sam Lee", "sales-emea", "Account Executive"),
)
#: Signed in once, never pushed / never seen by the bridge yet: for the demo of first sign-ins.
NOT_PUSHED = (
    ("Sven Aaltonen", "design", "Brand Designer"),
    ("Noor Haddad", "marketing", "Social Media Manager"),
)

#: Groups, people to add, job title: fills the groups to the sizes that the pages show.
KICKS_FILL = (
    ("eng-prod", 31, "Backend Engineer"),
    ("eng-prod eng-mobile", 9, "Mobile Engineer"),
    ("eng-prod eng-web", 4, "Web Engineer"),
    ("eng-mobile", 16, "Mobile Engineer"),
    ("eng-web", 3, "Web Engineer"),
    ("analytics-eu", 23, "Analyst"),
    ("marketing", 63, "Marketing Specialist"),
    ("contractor-dev", 5, "Contract Developer"),
    ("contractor-design", 4, "Contract Designer"),
    ("finance", 14, "Controller"),
    ("people-ops", 9, "People Partner"),
    ("legal", 6, "Counsel"),
    ("customer-care", 20, "Care Specialist"),
    ("sales-emea", 15, "Account Executive"),
    ("it-support", 7, "IT Engineer"),
    ("product", 16, "Product Manager"),
    ("design", 8, "Designer"),
    ("logistics", 11, "Logistics Planner"),
)

NORD_GROUPS = {"agency-campaigns": "Works on Kicks campaigns", "agency-leads": "Leads of client teams"}
NORD_PEOPLE = (
    ("Jonas Weber", "agency-campaigns agency-leads", "Client Lead"),
    ("Freya Lund", "agency-campaigns agency-leads", "Creative Director"),
    ("Omar Farouk", "agency-campaigns agency-leads", "Media Lead"),
)
NORD_FILL = (("agency-campaigns", 11, "Campaign Planner"),)

#: Shown as one-click logins on the simulated login page, in this order, with why one would choose them.
FEATURED = {
    "Mei Tanaka": "Workspace Owner, through workspace-admins",
    "Priya Raman": "Six permissions by seven paths: two IdP groups, a User Group and a role by hand",
    "Tomás Herrera": "Through eng-mobile alone: remove Tomás there and everything is gone",
    "Kofi Boateng": "Reads production sources through data-prod",
    "Hannah O’Neill": "Works with audiences, through marketing",
    "Ibrahim Diallo": "In no group of a rule; has two roles by hand",
    "Noor Haddad": "Not pushed yet: the bridge meets Noor at the first sign-in",
    "Lars Holm": "Deactivated: this company lets nobody in who left",
    "Jonas Weber": "Agency, through agency-campaigns",
}

#: What the enterprise extension says of the people of a group.
DEPARTMENTS = {
    "eng-prod": "Engineering",
    "eng-mobile": "Engineering",
    "eng-web": "Engineering",
    "contractor-dev": "Engineering",
    "data-prod": "Data",
    "analytics-eu": "Data",
    "marketing": "Marketing",
    "finance": "Finance",
    "people-ops": "People",
    "legal": "Legal",
    "customer-care": "Customer Care",
    "sales-emea": "Sales",
    "it-support": "IT",
    "product": "Product",
    "design": "Design",
    "contractor-design": "Design",
    "logistics": "Logistics",
    "agency-campaigns": "Client Services",
}

GIVEN = (
    "Adaeze Albin Alma Amara Amir Anouk Arjun Astrid Aurora Aziz Beatriz Benedikt Birgit Bogdan Camille Carlos "
    "Cecilia Chidi Daniel Darya Deniz Diego Edith Emeka Emil Erik Esra Eva Fatima Felix Filipa Freja Gabriel "
    "Giulia Gustav Hamza Hana Hedda Helena Hiro Ilse Imani Irene Ivan Jasmin Johan Jonna Jules Kaito Karim "
    "Katja Kenji Kwame Lea Leila Leon Linnea Lorenzo Lucas Mads Maja Malik Manuel Margot Mikael Mina Nadia "
    "Naveen Nils Noemi Olga Otto Pedro Petra Quentin Rafael Rania Rosa Ruben Saga Sanjay Selma Signe Simone "
    "Stellan Sunita Tariq Teresa Thea Tilda Ulrik Vera Viktor Wanda Willem Xenia Yara Ylva Zara Zeynep"
)
FAMILY = (
    "Abara Acar Ahlgren Almeida Andersson Bakker Banerjee Barros Becker Bergman Bianchi Borg Carvalho Castro "
    "Chandra Conti Dahl Danso Dubois Eklund Engström Eriksen Esposito Fernandes Fischer Fonseca Forsberg "
    "Fournier Garcia Gomes Gupta Haas Hansson Hartmann Ibáñez Iversen Iyer Jansen Johansson Kapoor Kimura "
    "Kowalski Krause Larsen Leclerc Lopes Magnusson Marques Mensah Meyer Mishra Moreau Nakamura Neumann Nkosi "
    "Novak Oliveira Olsson Osei Pereira Petrov Popescu Ramos Reddy Ricci Rossi Sandberg Santos Sato Schmitt "
    "Sharma Sjöberg Sousa Strand Suzuki Takahashi Teixeira Thorsen Usman Vargas Vasquez Vermeer Wagner Wallin "
    "Watanabe Winter Yamada Yilmaz Zimmer"
)


@dataclass(slots=True)
class Company:
    """One company's IdP while it is being written."""

    name: str
    domain: str
    dialect: str
    connection: str
    groups: dict[str, str]
    everybody: str = ""
    people: list[dict[str, object]] = field(default_factory=list)

    def add(self, full_name: str, groups: str, title: str, *, provisioned: bool = True) -> None:
        """Appends a person; `groups` are names with spaces between."""
        given, family = full_name.split(" ", 1)
        email = f"{_ascii(given)}.{_ascii(family)}@{self.domain}"
        person: dict[str, object] = {
            "id": _outside_id("00u", email),
            "email": email,
            "given_name": given,
            "family_name": family,
            "title": title,
            "department": next((DEPARTMENTS[g] for g in groups.split() if g in DEPARTMENTS), "Digital"),
            "groups": [*groups.split(), *([self.everybody] if self.everybody else [])],
        }
        # What is usual isn't written: active, provisioned, not featured.
        if full_name == "Lars Holm":
            person["active"] = False
        if not provisioned:
            person["provisioned"] = False
        if full_name in FEATURED:
            person["featured"] = FEATURED[full_name]
        self.people.append(person)

    def render(self) -> str:
        """The file: one group or person a line, so that a change is a readable diff."""
        head = {
            "company": self.name,
            "domain": self.domain,
            "connection": self.connection,
            "dialect": self.dialect,
            "password": PASSWORD,
            "sign_in": {"name_id": "persistent", "send_groups": False, "encrypt_assertions": False},
        }
        groups = [
            {"id": _outside_id("00g", self.domain + name), "name": name, "description": text}
            for name, text in self.groups.items()
        ]
        top = json.dumps(head, ensure_ascii=False, indent=2).removesuffix("\n}")
        return f"{top},\n{_lines('groups', groups)},\n{_lines('people', self.people)}\n}}\n"


def _lines(key: str, rows: list[dict[str, object]]) -> str:
    body = ",\n".join("    " + json.dumps(row, ensure_ascii=False) for row in rows)
    return f'  "{key}": [\n{body}\n  ]'


def _ascii(name: str) -> str:
    plain = normalize("NFKD", name.replace("ø", "o")).encode("ascii", "ignore").decode()
    return plain.replace(" ", "").replace("'", "").lower()


def _outside_id(prefix: str, key: str) -> str:
    """An id as Okta makes them: a prefix and letters and digits, here from a hash so that it stays the same."""
    if key == "mei.tanaka@kicks.example":
        return "00u4f8w2kQ"
    number = int.from_bytes(sha256(key.encode()).digest()[:6])
    digits = ""
    for _ in range(7):
        number, rest = divmod(number, 62)
        digits += BASE62[rest]
    return prefix + digits


def _names(taken: set[str]) -> Iterator[str]:
    """Names in turn: each given name meets another family name every time round."""
    families = FAMILY.split()
    for round_ in range(len(families)):
        for index, given in enumerate(GIVEN.split()):
            name = f"{given} {families[(index * 7 + round_ * 13) % len(families)]}"
            if name not in taken:
                taken.add(name)
                yield name


def companies() -> tuple[Company, Company]:
    """Kicks Co (the first connection of the demo) and its agency Studio Nord (the second)."""
    kicks = Company("Kicks Co", "kicks.example", "okta", "Okta", OKTA_GROUPS, everybody="everyone")
    nord = Company("Studio Nord", "studio-nord.example", "entra", "Studio Nord Entra", NORD_GROUPS)
    names = _names({row[0] for row in (*KICKS_PEOPLE, *NOT_PUSHED, *NORD_PEOPLE)})
    for name, groups, title in KICKS_PEOPLE:
        kicks.add(name, groups, title)
    for groups, count, title in KICKS_FILL:
        for index in range(count):
            office = " office-lisbon" if index % 5 == 1 else " office-malmo" if index % 5 == 3 else ""
            kicks.add(next(names), groups + ("" if groups.startswith("contractor") else office), title)
    for name, groups, title in NOT_PUSHED:
        kicks.add(name, groups, title, provisioned=False)
    for name, groups, title in NORD_PEOPLE:
        nord.add(name, groups, title)
    for groups, count, title in NORD_FILL:
        for _ in range(count):
            nord.add(next(names), groups, title)
    return kicks, nord


def main() -> None:
    """Writes both files."""
    kicks, nord = companies()
    (HERE / "company_idp.json").write_text(kicks.render(), encoding="utf-8")
    (HERE / "studio_nord_idp.json").write_text(nord.render(), encoding="utf-8")


if __name__ == "__main__":
    main()
