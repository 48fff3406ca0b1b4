"""Does what the old script does: orders CSV -> sales XML, with Python's csv and ElementTree. Prints its peak memory.

The shape of the XML is written in the code, as it was there; it is that of sales-template.xml.
"""

import csv
import sys
import xml.etree.ElementTree as ET


def peak_memory():
    """Peak resident memory in kilobytes. Not ru_maxrss, which starts from what the parent process had."""
    with open("/proc/self/status") as status:
        return int(next(line for line in status if line.startswith("VmHWM")).split()[1])


def child(parent, name, text):
    ET.SubElement(parent, name).text = text


def main(source, target):
    orders = {}
    with open(source, encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file, delimiter=";"):
            orders.setdefault(row["id_order"], []).append(row)

    units = sum(int(row["product_quantity"]) for rows in orders.values() for row in rows)
    root = ET.Element(
        "Ventes",
        {
            "Magasin": "008",
            "Creation": "2026-11-24 10:27:03",
            "NbVentes": str(len(orders)),
            "NbArticles": str(units),
        },
    )
    for number, rows in orders.items():
        head = rows[0]
        sale = ET.SubElement(root, "Vente", {"Numero": number})
        child(sale, "Reference", head["reference"])
        date = head["date_add"]
        child(sale, "DateVente", f"{date[8:10]}/{date[5:7]}/{date[:4]}")
        child(sale, "Vendeur", "INTERNET")
        payment = ET.SubElement(sale, "Reglement")
        child(payment, "Mode", head["payment"])
        child(payment, "Total", head["total_paid_tax_incl"].replace(".", ","))
        child(payment, "Port", head["total_shipping_tax_incl"].replace(".", ","))
        child(payment, "Remise", head["total_discounts_tax_incl"].replace(".", ","))
        customer = ET.SubElement(sale, "Client")
        child(customer, "Nom", head["customer_lastname"])
        child(customer, "Prenom", head["customer_firstname"])
        child(customer, "Courriel", head["customer_email"])
        child(customer, "Societe", head["delivery_company"])
        child(customer, "Adresse1", head["delivery_address1"])
        child(customer, "Adresse2", head["delivery_address2"])
        child(customer, "CodePostal", head["delivery_postcode"])
        child(customer, "Ville", head["delivery_city"])
        child(customer, "Pays", head["delivery_country"])
        child(customer, "Telephone", head["delivery_phone"])
        lines = ET.SubElement(sale, "Lignes")
        for row in rows:
            line = ET.SubElement(lines, "Ligne")
            child(line, "Gencod", row["product_ean13"])
            child(line, "Modele", row["product_reference"])
            child(line, "Designation", row["product_name"])
            child(line, "Taille", row["combinations_value"])
            child(line, "Quantite", row["product_quantity"])
            child(line, "PrixUnitaire", row["unit_product_price_tax_incl"].replace(".", ","))
    ET.indent(root)
    ET.ElementTree(root).write(target, encoding="UTF-8", xml_declaration=True)
    print(peak_memory())


main(*sys.argv[1:])
