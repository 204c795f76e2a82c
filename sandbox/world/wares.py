"""What the retailer sells: departments with their VAT, price ranges, words for titles and options. Data alone."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Department:
    """One category of products; prices are shown prices in whole euros (`cents` is added)."""

    code: str
    name: str
    vat_bp: int
    weight: int
    low: int
    high: int
    nouns: tuple[str, ...]
    qualities: tuple[str, ...]
    options: tuple[str, ...]


DEPARTMENTS = (
    Department(
        "VET", "Vêtements", 2000, 30, 19, 189,
        ("Chemise", "Marinière", "Pull", "Robe", "Jupe", "Veste", "Pantalon", "Cardigan", "T-shirt", "Écharpe"),
        ("en lin", "en coton biologique", "en laine mérinos", "à rayures", "d'été", "d'hiver", "à col rond", "ajustée"),
        ("XS", "S", "M", "L", "XL", "XXL"),
    ),
    Department(
        "MAI", "Maison", 2000, 20, 9, 149,
        ("Bougie", "Vase", "Coussin", "Nappe", "Lampe", "Assiette creuse", "Carafe", "Plaid", "Panier"),
        ("en grès", "en verre soufflé", "tissé main", "façon bistrot", "de l'atelier", "à l'ancienne", "émaillé"),
        ("Petit", "Moyen", "Grand", "Écru", "Bleu nuit", "Vert sauge"),
    ),
    Department(
        "BEA", "Beauté", 2000, 14, 8, 79,
        ("Crème", "Savon", "Huile", "Baume", "Eau de Cologne", "Gommage", "Shampoing solide"),
        ("à l'argan", "à la lavande", "fleur d'oranger", "au lait d'ânesse", "sans parfum", "de Grasse"),
        ("30 ml", "50 ml", "100 ml", "200 ml", "Recharge", "Coffret"),
    ),
    Department(
        "LIV", "Livres", 550, 12, 7, 45,
        ("Atlas", "Carnet de voyage", "Roman", "Recueil", "Guide", "Beau livre", "Conte illustré"),
        ("des îles", "de l'océan", "du marché", "des jardins", "d'une année", "de la cuisine", "des métiers d'art"),
        ("Broché", "Relié", "Poche", "Grands caractères", "Numéroté", "Coffret"),
    ),
    Department(
        "EPI", "Épicerie fine", 550, 12, 4, 39,
        ("Miel", "Confiture", "Terrine", "Huile d'olive", "Thé", "Chocolat", "Sablés", "Moutarde"),
        ("de châtaignier", "à la figue", "d'été", "de Noël", "du Périgord", "aux agrumes", "à l'ancienne"),
        ("100 g", "125 g", "250 g", "500 g", "Vrac", "Lot de 3"),
    ),
    Department(
        "SAL", "Salon de thé", 1000, 6, 4, 24,
        ("Formule", "Tarte", "Quiche", "Salade", "Boîte à goûter"),
        ("du jour", "aux pommes", "aux poireaux", "de saison", "à emporter"),
        ("1 part", "2 parts", "4 parts", "6 parts", "8 parts", "Plateau"),
    ),
    Department(
        "JAR", "Jardin", 1000, 3, 6, 59,
        ("Rosier", "Lavande", "Olivier", "Plant de tomate", "Bulbes"),
        ("ancien", "de Provence", "grimpant", "en godet", "de printemps"),
        ("Godet", "Pot 1 l", "Pot 3 l", "Pot 5 l", "Bac", "Motte"),
    ),
    Department(
        "PRE", "Presse", 210, 3, 3, 15,
        ("Revue", "Magazine", "Hors-série", "Journal"),
        ("d'architecture", "littéraire", "de l'été", "des voyages", "de mode"),
        ("Numéro", "Numéro double", "Hors-série", "Intégrale", "Archives", "Spécial"),
    ),
)

COLLECTIONS = (
    "Léa", "Capucine", "Côte d'Émeraude", "Belle-Île", "Garance", "Saint-Malo", "Noé", "Mistral", "Ouessant",
    "Aurélien", "Montmartre", "Val d'Isère", "Héloïse", "Cap Ferret", "L'Atelier n° 5", "Anaïs", "Vézelay", "Zoé",
)

HOSTILE_TITLES = (
    "<script>alert(1)</script>", "=1+1", "@SUM(A1:A9)", "-2+3|cmd", "'; DROP TABLE items; --", "{{ 7*7 }}",
    '"><img src=x onerror=alert(1)>', "| tableau | `code` |", "javascript:alert(1)", "Œuf à la coque 🥚 édition №1",
    "%s%n \\u0041", "NULL",
)
