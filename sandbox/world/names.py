"""French first names, family names, streets and towns, for persons that read like persons. Data alone."""

WOMEN = (
    "Camille", "Léa", "Manon", "Chloé", "Inès", "Jeanne", "Louise", "Alice", "Emma", "Juliette", "Zoé",
    "Anaïs", "Hélène", "Françoise", "Monique", "Catherine", "Nathalie", "Sylvie", "Isabelle", "Valérie",
    "Sandrine", "Stéphanie", "Céline", "Aurélie", "Émilie", "Élodie", "Mélanie", "Laëtitia", "Virginie",
    "Delphine", "Marie", "Anne", "Marie-Claude", "Anne-Sophie", "Brigitte", "Chantal", "Dominique",
    "Florence", "Geneviève", "Jacqueline", "Karine", "Laurence", "Margaux", "Mathilde", "Noémie", "Océane",
    "Pauline", "Romane", "Sarah", "Solène", "Thérèse", "Yasmine", "Fatima", "Aïcha", "Maëlle", "Agathe",
    "Bérénice", "Clémence", "Daphné", "Éléonore", "Fanny", "Gaëlle", "Héloïse", "Ludivine",
)
MEN = (
    "Gabriel", "Léo", "Raphaël", "Louis", "Arthur", "Jules", "Hugo", "Lucas", "Nathan", "Théo", "Noé", "Maël",
    "Jérôme", "Philippe", "Michel", "Alain", "Patrick", "Pierre", "Jean", "Jean-Pierre", "Jean-Luc",
    "Nicolas", "Christophe", "Laurent", "Frédéric", "Stéphane", "Sébastien", "David", "Thierry", "Olivier",
    "Éric", "Bruno", "Didier", "François", "Guillaume", "Antoine", "Benoît", "Cédric", "Damien", "Étienne",
    "Fabien", "Grégoire", "Hervé", "Ismaël", "Joël", "Karim", "Loïc", "Mathieu", "Mohamed", "Noël", "Pascal",
    "Quentin", "Rémi", "Rachid", "Samuel", "Thomas", "Valentin", "Xavier", "Yann", "Youssef", "Zacharie",
    "Aurélien", "Baptiste", "Clément",
)
DIMINUTIVES = {
    "Frédéric": "Fred", "Nathalie": "Nath", "Christophe": "Chris", "Stéphanie": "Stef", "Guillaume": "Guigui",
    "Mathieu": "Mat", "Isabelle": "Isa", "Catherine": "Cathy", "Jean-Pierre": "JP", "Anne-Sophie": "Anso",
    "Sébastien": "Seb", "Dominique": "Dom", "Virginie": "Virg", "Gabriel": "Gab", "Raphaël": "Raph", "Antoine": "Toine",
}
FAMILY = (
    "Martin", "Bernard", "Thomas", "Petit", "Robert", "Richard", "Durand", "Dubois", "Moreau", "Laurent",
    "Simon", "Michel", "Lefèvre", "Leroy", "Roux", "David", "Bertrand", "Morel", "Fournier", "Girard",
    "Bonnet", "Dupont", "Lambert", "Fontaine", "Rousseau", "Vincent", "Müller", "Faure", "André", "Mercier",
    "Blanc", "Guérin", "Boyer", "Garnier", "Chevalier", "François", "Legrand", "Gauthier", "Garcia", "Perrin",
    "Robin", "Clément", "Morin", "Nicolas", "Henry", "Roussel", "Mathieu", "Gautier", "Masson", "Marchand",
    "Duval", "Denis", "Dumont", "Marie", "Lemaire", "Noël", "Meyer", "Dufour", "Meunier", "Brun", "Blanchard",
    "Giraud", "Joly", "Rivière", "Lucas", "Brunet", "Gaillard", "Barbier", "Arnaud", "Martinez", "Gérard",
    "Roche", "Renard", "Schmitt", "Roy", "Leroux", "Colin", "Vidal", "Caron", "Picard", "Roger", "Fabre",
    "Aubert", "Lemoine", "Renaud", "Dumas", "Lacroix", "Olivier", "Philippe", "Bourgeois", "Pierre", "Benoît",
    "Rey", "Leclerc", "Payet", "Rolland", "Leclercq", "Guillaume", "Lecomte", "Lopez", "Jean", "Dupuy",
    "Guillot", "Hubert", "Berger", "Carpentier", "Sanchez", "Dupuis", "Moulin", "Louis", "Deschamps", "Huet",
    "Vasseur", "Perez", "Boucher", "Fleury", "Royer", "Klein", "Jacquet", "Adam", "Paris", "Poirier", "Marty",
    "Aubry", "Guyot", "Carré", "Charles", "Renault", "Charpentier", "Ménard", "Maillard", "Baron", "Bertin",
    "Bailly", "Hervé", "Schneider", "Fernandez", "Le Gall", "Collet", "Léger", "Bouvier", "Julien", "Prévost",
    "Millet", "Perrot", "Daniel", "Le Roux", "Cousin", "Germain", "Breton", "Besson", "Langlois", "Rémy",
    "Le Goff", "Pelletier", "Lévêque", "Perrier", "Leblanc", "Barré", "Lebrun", "Marchal", "Weber", "Mallet",
    "Hamon", "Boulanger", "Jacob", "Monnier", "Michaud", "Rodriguez", "Guichard", "Gillet", "Étienne",
    "Grondin", "Poulain", "Tessier", "Chevallier", "Collin", "Chauvin", "Da Silva", "Bouchet", "Gay",
    "Lemaître", "Bénard", "Maréchal", "Humbert", "Reynaud", "Antoine", "Hoarau", "Perret", "Barthélemy",
    "Cordier", "Pichon", "Lejeune", "Gilbert", "Lamy", "Delaunay", "Pasquier", "Carlier", "Laporte",
    "L'Hostis", "D'Angelo", "O'Connor", "N'Diaye", "Ben Saïd", "El Amrani", "Nguyen", "Tran", "Traoré",
    "Diallo", "Haddad", "Cohen",
)
STREETS = (
    "rue de la République", "avenue Victor-Hugo", "rue des Écoles", "boulevard Voltaire", "place de l'Église",
    "rue du Général-de-Gaulle", "impasse des Lilas", "chemin des Vignes", "rue Jean-Jaurès",
    "allée des Tilleuls", "rue Pasteur", "avenue de la Gare", "rue du Moulin", "quai des Chartrons",
    "rue Saint-Antoine", "cours Lafayette", "rue de l'Hôtel-de-Ville", "rue des Acacias", "rue Émile-Zola",
    "boulevard de la Liberté", "rue de Bretagne", "avenue Foch", "rue Gambetta", "rue du Château",
    "rue des Fleurs", "passage du Commerce", "rue de la Fontaine", "sentier des Prés", "rue d'Alsace",
    "rue du Faubourg-Saint-Honoré", "rue Marie-Curie", "rue de l'Abbé-Grégoire",
)
TOWNS = (
    ("Paris", "75001", "FR"), ("Paris", "75004", "FR"), ("Paris", "75011", "FR"), ("Paris", "75018", "FR"),
    ("Boulogne-Billancourt", "92100", "FR"), ("Saint-Denis", "93200", "FR"), ("Versailles", "78000", "FR"),
    ("Lyon", "69002", "FR"), ("Lyon", "69006", "FR"), ("Villeurbanne", "69100", "FR"),
    ("Bordeaux", "33000", "FR"), ("Mérignac", "33700", "FR"), ("Lille", "59000", "FR"),
    ("Roubaix", "59100", "FR"), ("Nantes", "44000", "FR"), ("Saint-Nazaire", "44600", "FR"),
    ("Marseille", "13001", "FR"), ("Aix-en-Provence", "13100", "FR"), ("Toulouse", "31000", "FR"),
    ("Montpellier", "34000", "FR"), ("Rennes", "35000", "FR"), ("Strasbourg", "67000", "FR"),
    ("Béziers", "34500", "FR"), ("Sète", "34200", "FR"), ("Orléans", "45000", "FR"),
    ("Besançon", "25000", "FR"), ("Annecy", "74000", "FR"), ("Angoulême", "16000", "FR"),
    ("Nîmes", "30000", "FR"), ("L'Haÿ-les-Roses", "94240", "FR"), ("Genève", "1201", "CH"),
    ("Carouge", "1227", "CH"), ("Lausanne", "1003", "CH"),
)
DOMAINS = ("gmail.example", "orange.example", "free.example", "laposte.example", "outlook.example", "yahoo.example")
WORK_DOMAINS = ("cabinet-durand.example", "mairie-de-lyon.example", "industrie-ouest.example", "lycee.example")
"""Of a reserved domain: nobody's mailbox."""
