"""Who and what the demo's retailer consists of: its shops, products, customers and channels, by name.

Rows are in the source's own columns. Here are no sales, no contacts and no files.
"""

import unicodedata
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from demo import planted

Row = dict[str, Any]

CUSTOMERS = 5_000

CHANNELS: tuple[Row, ...] = (
    {"code": "shop", "name": "In the shop", "type": "sales", "note": "Till or counter", "in_use": True},
    {"code": "web", "name": "Web shop", "type": "sales", "note": "Packed nearby", "in_use": True},
    {"code": "phone", "name": "Telephone", "type": "contact", "note": "Mon to Sat, 8 to 19", "in_use": True},
    {"code": "chat", "name": "Live chat", "type": "contact", "note": "On every web page", "in_use": True},
    {"code": "email", "name": "E-mail", "type": "contact", "note": "Answered within a day", "in_use": True},
    {"code": "letter", "name": "Letter", "type": "contact", "note": "Given up in 2023", "in_use": False},
)

# ---------------------------------------------------------------------------------------------- the shops


@dataclass(frozen=True)
class Shop:
    """A shop, its share of all sales, and where its customers live: town, postcode area, telephone, share."""

    code: str
    address: str
    city: str
    manager: str
    opened: date
    share: float
    towns: tuple[tuple[str, str, str, float], ...]

    def row(self) -> Row:
        """The shop's row of the workbook's sheet."""
        return {
            "Code": self.code,
            "Shop": f"Kettle & Crumb {self.city}",
            "Address": self.address,
            "City": self.city,
            "Country": "United Kingdom",
            "Manager": self.manager,
            "Opened": self.opened,
            "Trading": "yes",
        }


# Telephone numbers are of the ranges that Ofcom keeps free for fiction.
SHOPS = (
    Shop(
        code="LDN",
        address="41 Exmouth Market, EC1R 4QL",
        city="London",
        manager="Zoë Adeyemi",
        opened=date(2014, 5, 10),
        share=0.34,
        towns=(
            ("London", "E", "020 7946 0", 0.78),
            ("Brighton", "BN", "01632 960", 0.12),
            ("Cambridge", "CB", "01632 960", 0.10),
        ),
    ),
    Shop(
        code="BRS",
        address="7 Christmas Steps, BS1 5BS",
        city="Bristol",
        manager="Gwen Prŷs-Jones",
        opened=date(2016, 9, 3),
        share=0.22,
        towns=(
            ("Bristol", "BS", "0117 496 0", 0.70),
            ("Bath", "BA", "01632 960", 0.18),
            ("Cardiff", "CF", "029 2018 0", 0.12),
        ),
    ),
    Shop(
        code="MCR",
        address="18 Tib Street, M4 1LN",
        city="Manchester",
        manager="Łukasz Nowak",
        opened=date(2018, 3, 17),
        share=0.26,
        towns=(
            ("Manchester", "M", "0161 496 0", 0.66),
            ("Leeds", "LS", "0113 496 0", 0.20),
            ("Liverpool", "L", "0151 496 0", 0.14),
        ),
    ),
    Shop(
        code="EDI",
        address="23 Victoria Street, EH1 2HE",
        city="Edinburgh",
        manager="Mairi MacLeòid",
        opened=date(2021, 11, 6),
        share=0.18,
        towns=(("Edinburgh", "EH", "0131 496 0", 0.74), ("Glasgow", "G", "0141 496 0", 0.26)),
    ),
)

# ------------------------------------------------------------------------------------------- the products


@dataclass(frozen=True)
class Line:
    """A product line: every name comes in every size. ``sizes`` gives the usual price in pence."""

    category: str
    subcategory: str
    names: tuple[str, ...]
    sizes: dict[str, int]


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split("|"))


CATEGORY_SHARES = {
    "Coffee": 0.38,
    "Tea": 0.14,
    "Brewing": 0.10,
    "Kitchen": 0.12,
    "Tableware": 0.12,
    "Pantry": 0.14,
}
"""Share of each category in the sale lines of a plain day at the start."""

LINES = (
    Line(
        "Coffee",
        "Single origin",
        _names(
            "Ethiopia Yirgacheffe|Ethiopia Guji|Kenya Nyeri|Rwanda Nyamasheke|Burundi Kayanza|Colombia Nariño"
            "|Colombia Popayán|Guatemala Huehuetenango|Costa Rica Tarrazú|Panamá Boquete|Honduras Copán"
            "|Brazil Conceição|Perú Cajamarca|Sumatra Mandheling|Papua New Guinea Sigri"
        ),
        {"250 g": 895, "1 kg": 2950},
    ),
    Line(
        "Coffee",
        "Blends",
        _names(
            "House Blend|Breakfast Blend|Espresso N° 1|Espresso Crème|Café Noir|Winter Blend|Harbour Blend"
            "|Moka Roast"
        ),
        {"250 g": 725, "1 kg": 2450},
    ),
    Line(
        "Coffee", "Decaf", _names("Decaf House|Decaf Espresso|Decaf Colombia"), {"250 g": 795, "1 kg": 2650}
    ),
    Line(
        "Coffee", "Capsules", _names("House|Espresso|Lungo|Decaf"), {"10 capsules": 425, "50 capsules": 1895}
    ),
    Line(
        "Tea",
        "Black tea",
        _names(
            "English Breakfast|Assam|Darjeeling|Earl Grey|Lapsang Souchong|Ceylon|Masala Chai|Yorkshire Dale"
        ),
        {"50 bags": 545, "loose 125 g": 750},
    ),
    Line(
        "Tea",
        "Green tea",
        _names("Sencha|Genmaicha|Jasmine Pearls|Gunpowder|Lóngjǐng|Hōjicha"),
        {"loose 75 g": 695, "loose 200 g": 1575},
    ),
    Line(
        "Tea",
        "Herbal tea",
        _names(
            "Peppermint|Chamomile|Rooibos|Lemon & Ginger|Hibiscus|Verveine Citronnée|Fennel & Liquorice"
            "|Turmeric & Orange"
        ),
        {"20 bags": 420},
    ),
    Line(
        "Brewing",
        "Pour-over",
        _names("Dripper, ceramic|Dripper, glass|Dripper, copper|Carafe, glass|Brew stand, oak|Paper filters"),
        {"N° 1": 1450, "N° 2": 1850},
    ),
    Line(
        "Brewing",
        "Cafetières",
        _names("Cafetière, glass|Cafetière, steel|Cafetière, stoneware"),
        {"3 cups": 2450, "8 cups": 3650},
    ),
    Line(
        "Brewing",
        "Moka pots",
        _names("Moka pot, aluminium|Moka pot, steel"),
        {"3 cups": 2600, "6 cups": 3800},
    ),
    Line(
        "Brewing",
        "Grinders",
        _names("Hand grinder|Travel grinder|Burr grinder Präzis 40|Burr grinder Präzis 60"),
        {"black": 7900, "steel": 8900},
    ),
    Line(
        "Brewing",
        "Kettles & scales",
        _names("Gooseneck kettle|Electric kettle|Brew scale|Milk jug|Tamper|Knock box"),
        {"matt black": 3450, "steel": 3250},
    ),
    Line(
        "Brewing",
        "Machines",
        _names("Espresso machine Piccola|Espresso machine Città|Filter machine Målselv"),
        {"black": 18900, "white": 18900},
    ),
    Line(
        "Kitchen",
        "Pans",
        _names(
            "Frying pan, iron|Frying pan, steel|Sauté pan|Crêpe pan|Grill pan|Casserole, enamel|Saucepan"
            "|Paella pan"
        ),
        {"24 cm": 3900, "28 cm": 4900},
    ),
    Line(
        "Kitchen",
        "Bakeware",
        _names("Loaf tin|Cake tin|Gratin dish|Tarte tin|Madeleine tin|Proving basket"),
        {"small": 1250, "large": 1650},
    ),
    Line(
        "Kitchen",
        "Knives",
        _names("Paring knife|Bread knife|Chef’s knife|Santoku knife"),
        {"beech": 2800, "olive wood": 3900},
    ),
    Line(
        "Kitchen",
        "Utensils",
        _names(
            "Wooden spoon|Spatula|Whisk|Ladle|Peeler|Grater|Rolling pin|Mortar|Spätzle press|Tongs|Skimmer"
            "|Pastry brush"
        ),
        {"small": 650, "large": 950},
    ),
    Line(
        "Kitchen",
        "Textiles",
        _names("Tea towel|Apron|Oven glove|Napkins, set of 4|Table runner, linen|Bread bag"),
        {"indigo": 1250, "rosé": 1250},
    ),
    Line(
        "Tableware",
        "Cups & mugs",
        _names(
            "Espresso cup|Cappuccino cup|Flat white cup|Café au lait bowl|Mug, stoneware|Mug, enamel|Tea bowl"
            "|Travel cup|Teacup & saucer|Yunomi"
        ),
        {"white": 1150, "sea green": 1250},
    ),
    Line(
        "Tableware",
        "Plates & bowls",
        _names(
            "Dinner plate|Side plate|Pasta bowl|Muesli bowl|Serving dish|Tapas dish|Butter dish"
            "|Teapot, stoneware"
        ),
        {"white": 1450, "sea green": 1550},
    ),
    Line(
        "Tableware",
        "Glasses",
        _names("Tumbler|Latte glass|Carafe|Schnapps glass"),
        {"single": 550, "set of 4": 1950},
    ),
    Line(
        "Pantry",
        "Chocolate",
        _names("Dark chocolate 70 %|Milk chocolate|Hot chocolate flakes|Gianduja"),
        {"100 g": 450, "300 g": 1150},
    ),
    Line(
        "Pantry",
        "Biscuits",
        _names("Shortbread|Cantuccini|Amaretti|Speculoos|Oatcakes|Galettes bretonnes"),
        {"150 g": 395, "tin": 895},
    ),
    Line(
        "Pantry",
        "Spreads",
        _names("Crème de marrons|Dulce de leche|Blackcurrant jam|Heather honey|Piccalilli"),
        {"jar": 545, "large jar": 850},
    ),
    Line(
        "Pantry",
        "Syrups",
        _names("Vanilla syrup|Caramel syrup|Hazelnut syrup|Crème brûlée syrup|Elderflower cordial"),
        {"250 ml": 595, "750 ml": 1095},
    ),
)


@dataclass(frozen=True)
class Product:
    """A product; money in pence."""

    sku: str
    name: str
    category: str
    subcategory: str
    cost: int
    price: int
    supplier: str
    discontinued: bool

    def row(self) -> Row:
        """The product's row of the workbook's sheet."""
        return {
            "SKU": self.sku,
            "Product": self.name,
            "Category": self.category,
            "Subcategory": self.subcategory,
            "Cost price": self.cost / 100,
            "Retail price": self.price / 100,
            "Supplier": self.supplier,
            "Discontinued": "yes" if self.discontinued else None,
        }


def products(rng: np.random.Generator) -> list[Product]:
    """Every product line's names in every size, priced round the line's usual price."""
    made: list[Product] = []
    for number, line in enumerate(LINES):
        for name in line.names:
            dearness = rng.uniform(0.85, 1.25)
            for size, usual in line.sizes.items():
                price = int(usual * dearness / 50) * 50 + 45  # £8.95, £9.45, £9.95 …
                made.append(
                    Product(
                        sku=f"KC-{1001 + len(made)}",
                        name=f"{name} {size}" if "," not in name else f"{name}, {size}",
                        category=line.category,
                        subcategory=line.subcategory,
                        cost=int(price * rng.uniform(0.42, 0.66)),
                        price=price,
                        supplier=str(401 + number),
                        discontinued=bool(rng.random() < 0.03),
                    )
                )
    return made


# ------------------------------------------------------------------------------------------ the customers

FORENAMES = _names(
    "Olivia|Amelia|Isla|Ava|Freya|Imogen|Zoë|Chloë|Siân|Niamh|Aoife|Renée|Anaïs|Priya|Fatima|Aisha|Wei|Yuki"
    "|Agnieszka|Zofia|Marta|Lucía|Inés|Hannah|Rosie|Harriet|Beth|Ngozi|Amara|Eleanor|Noah|Oliver|George|Arthur"
    "|Leo|Harry|Jack|Callum|Euan|Hamish|Rhys|Dafydd|Seán|Cillian|José|Andrés|Björn|Jürgen|Łukasz|Tomasz|Mateusz"
    "|Mohammed|Yusuf|Arjun|Ravi|Kwame|Tunde|Samuel|Edward|Duncan|François|Luca|Matteo|Søren"
)
SURNAMES = _names(
    "Smith|Jones|Taylor|Brown|Williams|Wilson|Johnson|Davies|Patel|Robinson|Wright|Thompson|Evans|Walker|White"
    "|Roberts|Green|Hall|Wood|Khan|Lewis|Clarke|Hughes|Edwards|Hill|Moore|Fraser|MacDonald|Campbell|Stewart"
    "|Murray|Reid|O’Brien|O’Connor|Kelly|Byrne|Nowak|Kowalska|Wójcik|Müller|Schäfer|Núñez|García|Fernández"
    "|Nguyễn|Chen|Wang|Singh|Kaur|Begum|Ahmed|Hussain|Okafor|Mensah|Adeyemi|Rossi|Bianchi|Lefèvre|Dubois"
    "|Larsson|Sørensen|Pryce-Jones|Whitaker|Holt"
)
STREETS = _names(
    "Mill Lane|Church Street|Station Road|Victoria Road|Albert Street|Park Avenue|Queen Street|Chapel Row"
    "|Bridge Street|Orchard Close|Canal Walk|Kiln Lane|Harbour View|Nelson Street|Elm Grove|St Mary’s Road"
    "|Wellington Terrace|Cobden Street|Windmill Hill|Rose Court"
)
TIERS = ("Regular", "Loyal", "Trade", "New")
_LETTERS_WITHOUT_ACCENT = str.maketrans({"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "’": "", " ": ""})


@dataclass(frozen=True)
class Customer:
    """A customer, the nearest shop (index into SHOPS), and the day of joining (from FIRST_DAY)."""

    number: str
    name: str
    shop: int
    since: int
    row: Row


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.translate(_LETTERS_WITHOUT_ACCENT))
    return plain.encode("ascii", "ignore").decode()


def customers(rng: np.random.Generator) -> list[Customer]:
    """CUSTOMERS customers in order of their number, which leaves out the numbers of the planted bad rows.

    Numbers follow the order of joining, so the table looks the same by its place and by its key.
    """
    days = (planted.LAST_DAY - planted.FIRST_DAY).days
    before, during = rng.integers(-1000, 0, CUSTOMERS), rng.integers(0, days, CUSTOMERS)
    since = np.sort(np.where(rng.random(CUSTOMERS) < 0.4, before, during))
    forename = rng.integers(0, len(FORENAMES), CUSTOMERS)
    surname = rng.integers(0, len(SURNAMES), CUSTOMERS)
    home = rng.choice(len(SHOPS), CUSTOMERS, p=[shop.share for shop in SHOPS])
    tier = rng.choice(len(TIERS), CUSTOMERS, p=(0.62, 0.22, 0.06, 0.10))
    chance = rng.random((CUSTOMERS, 5))
    digits = rng.integers(0, 1000, (CUSTOMERS, 3))

    bad_lines = {bad.line for bad in planted.BAD_ROWS if bad.feed == "customers"}
    lines = [line for line in range(1, CUSTOMERS + len(bad_lines) + 1) if line not in bad_lines]
    namesakes: Counter[str] = Counter()
    made: list[Customer] = []
    for i, line in enumerate(lines):
        first, last = FORENAMES[forename[i]], SURNAMES[surname[i]]
        town, area, landline, _ = _pick(SHOPS[home[i]].towns, chance[i, 0])
        account = f"{_ascii(first)}.{_ascii(last)}"
        namesakes[account] += 1
        email = f"{account}{namesakes[account]}" if namesakes[account] > 1 else account
        # Typed by hand in the shop, so some are in capitals and some are missing.
        email = (email if chance[i, 1] < 0.1 else email.lower()) + ("@example.com", "@example.org")[i % 2]
        a, b, c = (int(n) for n in digits[i])
        phone = f"07700 900{a:03d}" if chance[i, 2] < 0.8 else f"{landline}{a:03d}"
        joined = datetime.combine(planted.FIRST_DAY, datetime.min.time()) + timedelta(days=int(since[i]))
        changed = joined + timedelta(days=int(chance[i, 3] * 0.9 * (days - since[i])), minutes=540 + b // 2)
        row = {
            "customer_no": f"C{10000 + line}",
            "forename": first,
            "surname": last,
            "email": email if chance[i, 4] < 0.94 else None,
            "phone": phone if chance[i, 4] > 0.15 else None,
            "street": f"{1 + c % 140} {STREETS[b % len(STREETS)]}",
            "postcode": f"{area}{1 + a % 18} {1 + b % 9}{'ABDEFGHJLN'[a % 10]}{'PQRSTUWXYZ'[c % 10]}",
            "town": town,
            "country": "United Kingdom",
            "tier": TIERS[tier[i]],
            "updated_at": f"{changed:%Y-%m-%d %H:%M:%S}",
        }
        made.append(Customer(str(row["customer_no"]), f"{first} {last}", int(home[i]), int(since[i]), row))
    return made


def _pick(towns: tuple[tuple[str, str, str, float], ...], chance: float) -> tuple[str, str, str, float]:
    for town in towns:
        chance -= town[3]
        if chance < 0:
            return town
    return towns[0]
