"""What people call the columns of the entities, in English, German, French and Spanish.

Words only: what a column holds is ``ingest.profile``'s to find, and what follows from both
``ingest.proposal``'s.
"""

import re
import unicodedata
from itertools import product

SMALL_WORDS = {"the", "of", "de", "du", "des", "d", "la", "le", "l", "el", "der", "die", "das", "von", "in"}
NUMBER = (
    *("no", "nr", "number", "num", "id", "code", "key", "ref", "reference"),
    *("nummer", "referenz", "kurzel", "numero", "codigo", "referencia", "clave"),
)


def normal(name: str) -> str:
    """A column's name as its words: `InvoiceNo`, `invoice_no` and `Invoice no.` are `invoice no`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    plain = unicodedata.normalize("NFKD", words.replace("ß", "ss")).encode("ascii", "ignore").decode()
    return " ".join(w for w in re.findall(r"[a-z0-9]+", plain.lower()) if w not in SMALL_WORDS)


def joined(name: str) -> str:
    """The words of a name without spaces, since `Artikel Nr.` and `Artikelnr` are one."""
    return normal(name).replace(" ", "")


Words = dict[str, float]
"""Words and how surely each names a column: 1 is sure; what may as well name another column is less."""


def words(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


def _ranked(words: list[str]) -> Words:
    """Words, likeliest first."""
    return {word: 1 - position / len(words) / 2 for position, word in reversed(list(enumerate(words)))}


def _numbered(*nouns: str) -> Words:
    """Each noun with each word for a number: `invoice no`, `invoice id`, `no invoice`. A noun alone may as
    well be a name."""
    forms = [form for noun, word in product(nouns, NUMBER) for form in (f"{noun}{word}", f"{word}{noun}")]
    return dict.fromkeys(nouns, 0.3) | dict.fromkeys(forms, 1.0)


OWN_KEY = dict.fromkeys(
    words("code no nr id number nummer numero key ref reference referenz codigo"),
    0.4,
)
PRODUCT = _numbered(
    *words("product item article stock sku material artikel produkt produit producto articulo track"),
) | {"sku": 1.0, "ean": 1.0, "gtin": 1.0}
CUSTOMER = _numbered(
    *words("customer client buyer member kunde kunden acheteur cliente account debitor konto"),
)
STORE = _numbered(
    *words(
        """store shop branch outlet location filiale filial geschaft laden markt magasin boutique tienda
        sucursal"""
    ),
)
CHANNEL = _numbered(
    *words("channel kanal canal medium contactchannel contacttype contact via"),
)
INVOICE = _numbered(
    *words(
        """transaction invoice receipt order bill basket rechnung rechnungs beleg bon bestell bestellung
        auftrag auftrags facture commande ticket vente factura pedido venta recibo document dokument"""
    ),
) | dict.fromkeys(_numbered("sale"), 0.7)
SALE_LINE = _numbered(
    *words(
        """sale line saleline orderline orderitem invoiceline lineitem position verkauf verkaufs ligne linea
        row"""
    ),
)
INTERACTION = _numbered(
    *words(
        """interaction ticket case call contact conversation request vorgang anruf anfrage kontakt appel
        demande llamada caso solicitud"""
    ),
)
PRICE = words(
    """unitprice priceunit priceperunit priceeach saleprice sellingprice retailprice listprice netprice price
    einzelpreis stuckpreis verkaufspreis vk preis preisstuck prixunitaire prixvente prix pu preciounitario
    precioventa precio rate"""
)
CITY = words("city town ort stadt wohnort ville ciudad poblacion localidad")
COUNTRY = words("country land staat pays pais countrycode landercode")
ADDRESS = words("address streetaddress street address1 adresse anschrift strasse rue direccion calle")
ACTIVE = words(
    """active isactive enabled inuse aktiv actif activo trading open current valid gultig vigente"""
)
DESCRIPTION = words("description beschreibung note notes bemerkung remarque descripcion nota")
DAY = words("date day datetime timestamp datum tag zeitpunkt zeitstempel fecha fechahora jour horodatage")
NAME = words("name title label bezeichnung nom nombre titel")


def _called(nouns: tuple[str, ...], words: list[str]) -> list[str]:
    return [form for noun, word in product(nouns, words) for form in (f"{noun}{word}", f"{word}{noun}")]


WORDS: dict[str, dict[str, Words]] = {
    "sales": {
        "sale_code": OWN_KEY | SALE_LINE,
        "transaction_code": INVOICE,
        "product_code": PRODUCT,
        "customer_code": CUSTOMER,
        "store_code": STORE,
        "channel_code": CHANNEL,
        "sold_at": _ranked(
            [
                "sold",
                "soldat",
                "soldon",
                *_called(
                    (
                        *words(
                            """sale sales invoice order transaction receipt purchase verkaufs rechnungs
                            bestell beleg buchungs auftrags vente facture commande achat venta factura
                            pedido"""
                        ),
                    ),
                    [*DAY, "time", "at"],
                ),
                *DAY,
                "created",
                "createdat",
            ]
        ),
        "quantity": _ranked(
            words(
                """quantity qty units unitssold pieces menge anzahl stuck stuckzahl quantite qte nombre
                cantidad unidades count pcs"""
            )
        ),
        "unit_price": _ranked(PRICE),
        "discount_amount": _ranked(
            words("discountamount discount rebate rabatt rabattbetrag nachlass remise rabais descuento")
        ),
        "total_amount": _ranked(
            words(
                """totalamount linetotal lineamount salesamount netamount amount total revenue totalprice
                gesamtbetrag gesamtpreis betrag gesamt summe umsatz montant montanttotal importe importetotal
                sales"""
            )
        ),
    },
    "interactions": {
        "interaction_code": OWN_KEY | INTERACTION,
        "customer_code": CUSTOMER,
        "channel_code": CHANNEL,
        "interaction_type": _ranked(
            [
                *_called(
                    (*words("interaction ticket case call contact request anruf kontakt"),),
                    words("type kind art category"),
                ),
                *words("type kind category reason topic art typ grund thema motif tipo motivo categoria"),
            ]
        ),
        "occurred_at": _ranked(
            [
                *words("occurredat startedat starttime start openedat opened"),
                *_called(
                    (*words("interaction ticket case call contact request anruf kontakt appel llamada"),),
                    [*DAY, "time", "at"],
                ),
                "createdat",
                "created",
                *DAY,
                "beginn",
                "debut",
                "inicio",
            ]
        ),
        "duration": _ranked(
            words(
                """duration durationseconds durations durationsec durationmin durationminutes calllength
                talktime handletime seconds minutes dauer dauerminuten dauersekunden gesprachsdauer duree
                duracion"""
            )
        ),
        "status": _ranked(
            words("status state outcome result zustand ergebnis etat statut resultat estado resultado")
        ),
    },
    "products": {
        "product_code": OWN_KEY | PRODUCT,
        "product_name": _ranked(
            [
                *_called(
                    (*words("product item article artikel produkt produit producto"),),
                    [*NAME, *DESCRIPTION],
                ),
                *NAME,
                *DESCRIPTION,
                *words(
                    """product item produkt artikel produit article producto articulo designation libelle"""
                ),
            ]
        ),
        "category": _ranked(
            words(
                """category productcategory productgroup group department genre kategorie warengruppe
                produktgruppe gruppe categorie famille categoria familia"""
            )
        ),
        "subcategory": _ranked(
            words(
                """subcategory subgroup subdepartment unterkategorie untergruppe souscategorie sousfamille
                subcategoria"""
            )
        ),
        "unit_cost": _ranked(
            words(
                """unitcost costprice cost purchaseprice costofgoods einkaufspreis ek einstandspreis kosten
                prixachat cout coste costo preciocompra"""
            )
        ),
        "unit_price": _ranked(PRICE),
        "supplier_code": _numbered(
            *words("supplier vendor manufacturer lieferant lieferanten hersteller fournisseur proveedor"),
        ),
        "active": _ranked(ACTIVE),
    },
    "customers": {
        "customer_code": OWN_KEY | CUSTOMER,
        "first_name": _ranked(words("firstname forename givenname vorname prenom nombre")),
        "last_name": _ranked(
            words("lastname surname familyname nachname familienname nomfamille apellido apellidos nom")
        ),
        "email": _ranked(
            words("email mail emailaddress emailadresse courriel correo correoelectronico adressemail")
        ),
        "phone": _ranked(
            words("phone telephone phonenumber tel mobile telefon telefonnummer handy telefono movil")
        ),
        "address": _ranked(ADDRESS),
        "city": _ranked(CITY),
        "country": _ranked(COUNTRY),
        "segment": _ranked(
            words(
                """segment tier customertype customersegment customergroup kundengruppe kundensegment
                typeclient segmento"""
            )
        ),
    },
    "stores": {
        "store_code": OWN_KEY | STORE,
        "store_name": _ranked(
            [
                *_called((*words("store shop branch outlet filial filiale magasin tienda"),), NAME),
                *NAME,
                *words("store shop branch filiale magasin boutique tienda"),
            ]
        ),
        "address": _ranked(ADDRESS),
        "city": _ranked(CITY),
        "country": _ranked(COUNTRY),
        "manager": _ranked(
            words("manager storemanager leiter filialleiter leitung responsable gerant gerente encargado")
        ),
        "open_date": _ranked(
            words(
                """opendate opened openedon openingdate eroffnet eroffnung eroffnungsdatum ouverture
                dateouverture apertura fechaapertura"""
            )
        ),
        "active": _ranked(ACTIVE),
    },
    "channels": {
        "channel_code": OWN_KEY | CHANNEL,
        "channel_name": _ranked([*_called(("channel", "kanal", "canal"), NAME), *NAME]),
        "channel_type": _ranked(words("channeltype type kind kanaltyp typ art typecanal tipo tipocanal")),
        "description": _ranked(DESCRIPTION),
        "active": _ranked(ACTIVE),
    },
    "inventory": {
        "product_code": PRODUCT,
        "stock_date": _ranked(
            [
                *_called((*words("stock count inventory snapshot bestands inventur lager"),), DAY),
                "countedon",
                "countedat",
                "asof",
                "stichtag",
                *DAY,
            ]
        ),
        "stock_level": _ranked(
            words(
                """stocklevel stock instock onhand quantityonhand quantityinstock stockqty inventory bestand
                lagerbestand quantity qty menge stockactuel existencias enstock"""
            )
        ),
    },
}
"""For each entity and landed column the words for it, without spaces."""

NEGATIONS = words(
    """discontinued inactive closed deleted blocked ended gesperrt inaktiv geschlossen ferme cerrado"""
)
"""Words for the opposite of active."""


def likeness(entity: str, column: str, name: str) -> float:
    """How surely the name of a source's column is one for a landed column, from 0 to 1."""
    return WORDS[entity].get(column, {}).get(joined(name), 0.0)
