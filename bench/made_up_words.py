"""Names, places and telephone numbers of people who do not exist, for `bench/made_up.py`.

Telephone numbers are those that the countries' regulators keep for films and books.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Country:
    """What people of one country are called and where they live.

    Attributes:
        names: what forms write into the country field.
        women, men, last: most common first; parts after "/" are other spellings of one name.
        cities: name with other spellings after "/", and a pattern of postal codes.
        streets: with the short form after "/".
        mobiles, landlines: national number without the leading zero, # for free digits.
        prefix, trunk: country code, and what is dialled before a national number.
        legal: legal forms of companies.
    """

    names: Sequence[str]
    women: Sequence[str]
    men: Sequence[str]
    last: Sequence[str]
    cities: Sequence[tuple[str, str]]
    streets: Sequence[str]
    mobiles: Sequence[str]
    landlines: Sequence[str]
    prefix: str
    trunk: str
    legal: Sequence[str]
    number_first: bool = False


def _words(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


AREAS = _words(
    "212, 312, 415, 617, 713, 651, 213, 646, 773, 510, 202, 303, 404, 503, 602, 704, "
    "805, 206, 216, 305, 414, 502, 614, 702, 812, 901, 918, 937, 971, 256, 334, 405"
)

COUNTRIES: Mapping[str, Country] = {
    "DE": Country(
        names=("Germany", "Deutschland", "DE"),
        women=_words(
            "Anna, Maria, Julia, Katharina, Sabine, Susanne, Christine, Petra, Claudia, Ursula, "
            "Monika, Lena, Hannah/Hanna, Sophie/Sofie, Anna-Lena, Bärbel, Käthe, Silke, Ayşe, "
            "Oksana, Olga, Nadine, Stephanie/Stefanie, Jasmin/Yasmin, Friederike, Elisabeth, "
            "Martina, Andrea, Birgit, Heike, Gabriele, Renate, Ingrid, Cornelia/Kornelia, "
            "Franziska, Johanna, Theresa/Teresa, Melanie, Annette, Ilse, Zeynep, Swetlana, "
            "Markus/Marcus, Frank, Uwe, Ralf/Ralph, Dirk/Dierk, Holger, Torsten/Thorsten, "
            "Sebastian, Florian, Tobias, Niklas/Niclas, Rüdiger, Gerhard, Werner, Manfred, "
            "Mustafa, Piotr "
        ),
        men=_words(
            "Thomas, Michael, Andreas, Peter, Stefan/Stephan, Christian, Wolfgang, Hans, "
            "Jürgen, Klaus/Claus, Matthias/Mathias, Jörg, Günter/Günther, Björn, Sören, "
            "Johannes, Lukas, Maximilian, Philipp/Philip, Alexander, Karl-Heinz, Mehmet, "
            "Dmitri/Dmitry/Дмитрий, Sergej/Sergey/Сергей, Friedrich, Heinrich"
        ),
        last=_words(
            "Müller, Schmidt/Schmitt, Schneider, Fischer, Weber, Meyer/Meier/Maier, Wagner, "
            "Becker, Schulz/Schulze, Hoffmann/Hofmann, Schäfer, Koch, Bauer, Richter, Klein, "
            "Wolf/Wolff, Schröder, Neumann, Schwarz, Braun, Zimmermann, Krüger, Hartmann, "
            "Lange, Krause, Lehmann, Köhler, Jäger, Böhm, Groß/Gross, Weiß/Weiss, Vogel, "
            "Stöcker, Yılmaz, Öztürk, Kaya, Iwanow/Ivanov/Иванов, "
            "Schewtschenko/Shevchenko/Шевченко, Kowalski, Nowak, Nguyen, von der Heide, "
            "Freiherr von Stahl, Strauß, Büttner, Käßmann, Pfeiffer/Pfeifer, Hahn, Schubert, "
            "Lorenz, Baumann, Franke, Albrecht, Schuster, Simon, Ludwig, Böttcher, Winter, "
            "Kraus, Martin, Schumacher, Krämer, Vogt, Stein, Jansen/Janssen, Otto, Sommer, "
            "Groß-Bölting, Seidel, Heinrich, Brandt/Brand, Haas, Schreiber, Graf, Dietrich, "
            "Ziegler, Kuhn, Kühn, Pohl, Engel, Horn, Busch, Bergmann, Thomas, Voigt, Sauer, "
            "Arnold, Beyer/Bayer, Çelik, Demir, Hübner, Marx, Rohde, Wiedemann "
        ),
        cities=(
            ("Berlin", "1####"), ("Hamburg", "2####"), ("München/Munich/Muenchen", "8####"),
            ("Köln/Cologne/Koeln", "50###"), ("Frankfurt am Main/Frankfurt", "60###"),
            ("Nürnberg/Nuremberg", "904##"), ("Düsseldorf/Duesseldorf", "402##"),
        ),
        streets=_words(
            "Hauptstraße/Hauptstr., Gartenstraße/Gartenstr., Bahnhofstraße/Bahnhofstr., "
            "Lindenallee, Am Mühlbach, Goethestraße/Goethestr., Schillerplatz, Kirchweg, "
            "Bergstraße/Bergstr., Wiesenweg, Rosenstraße/Rosenstr., Alter Markt, "
            "Ringstraße/Ringstr."
        ),
        mobiles=("17139200##", "176040690##"),
        landlines=("3023125###", "4066969###", "2214710###", "6990009###", "8999998###"),
        prefix="49", trunk="0",
        legal=_words("GmbH, GmbH & Co. KG, AG, UG (haftungsbeschränkt), e.K., KG"),
    ),
    "US": Country(
        names=("United States", "USA", "US"),
        women=_words(
            "Jennifer, Mary, Elizabeth, Linda, Patricia, Susan, Jessica, Sarah/Sara, Karen, "
            "Nancy, Margaret, Katherine/Catherine/Kathryn, Rebecca, Deborah/Debra, Christina, "
            "Amanda, Victoria, Samantha, Guadalupe, Xiaomei, Priya, Latoya, Barbara, Laura, "
            "Ashley, Kimberly, Emily, Donna, Michelle, Carol, Melissa, Stephanie, "
            "Rachel/Rachael, Carolyn, Janet, Maria, Heather, Diane, Brittany, Natalie, "
            "Danielle, Denise, Charles, Mark/Marc, Donald, Paul, Joshua, Kevin, Brian/Bryan, "
            "George, Timothy, Ronald, Jason, Ryan, Gary, Eric/Erik, Jacob, Larry, Justin, "
            "Brandon, Gregory, Carlos, Luis "
        ),
        men=_words(
            "James, Robert, John/Jon, Michael, David, William, Richard, Joseph, Thomas, "
            "Christopher, Daniel, Matthew, Anthony, Steven/Stephen, Andrew, Kenneth, Edward, "
            "Jeffrey/Geoffrey, Nicholas, José, Juan, Wei, Rajesh, Tyrone"
        ),
        last=_words(
            "Smith/Smyth, Johnson, Williams, Brown/Browne, Jones, Garcia/García, Miller, Davis, "
            "Rodriguez/Rodríguez, Martinez, Hernandez, Lopez, Wilson, Anderson/Andersen, "
            "Thomas, Taylor, Moore, Jackson, Lee/Li, Thompson/Thomson, White, Clark/Clarke, "
            "Wang, Patel, O'Brien/OBrien, MacDonald/McDonald, Nguyen, Chen/Chan, Kim, Van "
            "Buren, Smith-Jones, Reilly/Riley, Petersen/Peterson, Goldberg, Kowalczyk, "
            "Delacroix, Harris, Lewis/Louis, Robinson, Walker, Young, Allen/Allan, King, "
            "Wright, Scott, Torres, Hill, Flores, Green/Greene, Adams, Nelson/Nielsen, Baker, "
            "Hall, Rivera, Campbell, Mitchell, Carter, Roberts, Gomez, Phillips/Philips, Evans, "
            "Turner, Diaz, Parker, Cruz, Edwards, Collins, Reyes, Stewart/Stuart, Morris, "
            "Morales, Murphy, Cook/Cooke, Rogers/Rodgers, Gutierrez, Ortiz, Morgan, Cooper, "
            "Bailey, Kelly/Kelley, Howard, Ramos, Ward, Cox, Richardson, Watson, Brooks, Wood, "
            "Bennett, Gray/Grey, Hoffman, Schultz, Yamamoto, Washington "
        ),
        cities=(
            ("New York/New York City/NYC", "100##"), ("Los Angeles/LA", "900##"),
            ("Chicago", "606##"), ("Houston", "770##"), ("Saint Paul/St. Paul", "551##"),
            ("San Francisco/SF", "941##"), ("Boston", "021##"),
        ),
        streets=_words(
            "Main Street/Main St, Oak Avenue/Oak Ave, Maple Drive/Maple Dr, Elm Street/Elm St, "
            "Washington Boulevard/Washington Blvd, Lake Road/Lake Rd, 2nd Avenue/Second Ave, "
            "Park Lane/Park Ln, Cedar Court/Cedar Ct, Martin Luther King Jr Drive/MLK Dr"
        ),
        mobiles=tuple(f"{area}55501##" for area in AREAS),
        landlines=("31055501##", "84755501##", "28155501##", "61255501##", "91755501##"),
        prefix="1", trunk="",
        legal=_words("Inc., LLC, Corp., Co., Group"),
        number_first=True,
    ),
    "GB": Country(
        names=("United Kingdom", "UK", "GB", "England"),
        women=_words(
            "Margaret, Susan, Emma, Sarah/Sara, Victoria, Charlotte, Elizabeth, "
            "Catherine/Katherine, Alison/Allison, Gillian/Jillian, Siobhán, Fiona, Rebecca, "
            "Amelia, Olivia, Zoë/Zoe, Anjali, Jane, Helen, Karen, Julie, Jacqueline, Louise, "
            "Lucy, Hannah/Hanna, Laura, Sophie, Grace, Ruth, Heather, Eilidh, Nicola, Priya, "
            "Aisha/Ayesha, Paul, Mark, Richard, Peter, Simon, Graham/Graeme, Ian/Iain, "
            "Neil/Neal, Gareth, Matthew, Daniel, Thomas, Jack, Joshua, Alexander, "
            "Philip/Phillip, Rajesh, Omar "
        ),
        men=_words(
            "David, James, John/Jon, Andrew, Robert, William, Oliver, George, Harry, "
            "Christopher, Stephen/Steven, Anthony/Antony, Alistair/Alasdair, Benjamin, "
            "Mohammed/Muhammad/Mohamed, Nicholas, Timothy, Seán/Shaun/Sean, Edward"
        ),
        last=_words(
            "Smith/Smyth, Jones, Taylor/Tayler, Brown/Browne, Williams, Wilson, Davies/Davis, "
            "Evans, Thomas, Johnson, Roberts, Walker, Wright, Robinson, Thompson/Thomson, "
            "Hughes, Clarke/Clark, Khan, Patel, Ahmed/Ahmad, MacLeod/McLeod, O'Neill/ONeil, "
            "Featherstonehaugh, Stewart/Stuart, Philips/Phillips, Kaur, Begum, Hussain/Hussein, "
            "Bennett/Bennet, Green, Hall, Wood, Harris, Lewis, Martin, Jackson, Cooper, Hill, "
            "Ward, Turner, Morris, Moore, Clark, Lee, King, Baker, Harrison, Morgan, "
            "Allen/Allan, James, Scott, Watson, Davidson, Campbell, Anderson, Mitchell, Young, "
            "Cook, Singh, Bell, Murphy, Kelly, Shaw, Fraser/Frazer, Cox, Marshall, Palmer, "
            "Mason, Mills, Fox, Chapman, Lloyd/Loyd, Pritchard "
        ),
        cities=(
            ("London", "SW# #PQ"), ("Manchester", "M# #AB"), ("Leeds", "LS# #JD"),
            ("Bristol", "BS# #TH"), ("Edinburgh", "EH# #NG"),
        ),
        streets=_words(
            "High Street/High St, Station Road/Station Rd, Church Lane/Church Ln, "
            "Victoria Road, Park Avenue/Park Ave, The Crescent, Mill Lane, "
            "Queens Road/Queen's Rd, Kings Court"
        ),
        mobiles=("7700900###",),
        landlines=("2079460###", "1614960###", "1134960###", "1174960###", "1314960###"),
        prefix="44", trunk="0",
        legal=_words("Ltd, Limited, PLC, LLP, & Sons Ltd"),
        number_first=True,
    ),
    "FR": Country(
        names=("France", "FR"),
        women=_words(
            "Marie, Nathalie, Isabelle, Sylvie, Catherine, Françoise, Hélène, Aurélie, Chloé, "
            "Élodie, Amélie, Léa, Anne-Sophie, Fatima, Zoé, Monique, Christine, Valérie, "
            "Sandrine, Céline, Camille, Julie, Manon, Charlotte, Inès, Sarah, Brigitte, "
            "Martine, Patricia, Véronique, Margaux/Margot, Laurent, Olivier, David, Thierry, "
            "Bruno, Éric, Sébastien, Julien, Antoine, Thomas, Maxime, Alexandre, Lucas, Hugo, "
            "Gérard, Yves, Karim "
        ),
        men=_words(
            "Jean, Pierre, Michel, Philippe, Alain, Nicolas, Christophe, François, Frédéric, "
            "Jérôme, Jean-Luc, Jean-Pierre, Mohamed/Mohammed, Stéphane, Théo, Rémi/Rémy"
        ),
        last=_words(
            "Martin, Bernard, Dubois, Thomas, Robert, Richard, Petit, Durand/Durant, Leroy/Le "
            "Roy, Moreau, Simon, Laurent, Lefèvre/Lefebvre, Michel, Garcia, Fournier, Girard, "
            "Bonnet, François, Benoît, Diallo, Nguyen, de La Tour, Gauthier/Gautier, Bélanger, "
            "Roux, Vincent, Muller, Mercier, Blanc, Guérin, Boyer, Garnier, Chevalier, Faure, "
            "Rousseau, Clément, Morin, Nicolas, Henry/Henri, Roussel, Mathieu/Matthieu, Perrin, "
            "Dupont/Dupond, Lambert, Masson, Marchand, Duval, Denis, Lemaire, Meyer, Noël, "
            "Dufour, Meunier/Meynier, Benali, Traoré, Da Silva, Lopez, Pereira, Caron, "
            "Renault/Renaud "
        ),
        cities=(
            ("Paris", "750##"), ("Lyon", "6900#"), ("Marseille/Marseilles", "130##"),
            ("Saint-Étienne/St Etienne/Saint Etienne", "42###"), ("Nîmes", "30###"),
        ),
        streets=_words(
            "rue de la République/r. de la République, avenue Victor Hugo/av. Victor Hugo, "
            "boulevard Voltaire/bd Voltaire, rue des Écoles, place du Marché/pl. du Marché, "
            "rue Pasteur, chemin Vert"
        ),
        mobiles=("63998####",),
        landlines=("19900####", "46571####"),
        prefix="33", trunk="0",
        legal=_words("SARL, SAS, S.A., EURL"),
        number_first=True,
    ),
    "SE": Country(
        names=("Sweden", "Sverige", "SE"),
        women=_words(
            "Anna, Eva, Karin/Carin, Kristina/Christina, Åsa, Linnéa, Märta, Ingrid, Sofia, "
            "Birgitta, Marie, Elisabeth, Helena, Emma, Sara, Malin, Johanna, Frida, Elin, "
            "Ulrika, Maja, Ebba, Cecilia, Peter, Jan, Thomas, Daniel, Fredrik, Magnus, "
            "Gustav/Gustaf, Oskar/Oscar, Nils, Stefan, Mikael/Michael, Emil, Viktor/Victor "
        ),
        men=_words(
            "Lars, Anders, Johan, Per/Pär, Göran, Åke, Björn, Erik/Eric, Mats, Karl/Carl"
        ),
        last=_words(
            "Andersson, Johansson, Karlsson/Carlsson, Nilsson, Eriksson/Ericsson, Larsson, "
            "Öberg, Sjöström, Lindqvist/Lindkvist, Åkesson, Björk, Håkansson, Persson, "
            "Svensson, Gustafsson/Gustavsson, Pettersson, Jonsson, Jansson, Hansson, Bengtsson, "
            "Jönsson, Lindberg, Lindström, Bergström, Holm, Lundgren, Berg, Söderberg, Wallin, "
            "Nyström, Ekström, Engström, Danielsson, Forsberg, Ali "
        ),
        cities=(
            ("Stockholm", "11# ##"), ("Göteborg/Gothenburg/Goteborg", "41# ##"),
            ("Malmö/Malmo", "21# ##"),
        ),
        streets=_words(
            "Storgatan, Kungsgatan, Skolgatan, Björkvägen/Björkv., Drottninggatan/Drottningg."
        ),
        mobiles=("70174060#", "70174061#", "70174062#", "70174063#", "70174064#", "70174065#"),
        landlines=("8465004##", "313900600", "406280400", "31390061#", "40628041#"),
        prefix="46", trunk="0",
        legal=_words("AB, HB, AB (publ)"),
    ),
}  # fmt: skip

COUNTRY_SHARES: Mapping[str, float] = {"DE": 0.33, "US": 0.29, "GB": 0.2, "FR": 0.15, "SE": 0.03}

NICKNAMES: Mapping[str, Sequence[str]] = {
    "Elizabeth": ("Liz", "Beth", "Betty", "Lisa"), "Katherine": ("Kate", "Kathy", "Katie"),
    "Catherine": ("Cathy", "Kate"), "Margaret": ("Maggie", "Peggy", "Meg"), "Susan": ("Sue",),
    "Jennifer": ("Jen", "Jenny"), "Patricia": ("Pat", "Trish"), "Deborah": ("Debbie", "Deb"),
    "Rebecca": ("Becky", "Becca"), "Victoria": ("Vicky", "Tori"), "Samantha": ("Sam",),
    "Christina": ("Chris", "Tina"), "Amanda": ("Mandy",), "Jessica": ("Jess",), "Emma": ("Em",),
    "James": ("Jim", "Jimmy"), "Robert": ("Bob", "Rob", "Bobby"), "Michael": ("Mike", "Mick"),
    "William": ("Bill", "Will", "Billy"), "Richard": ("Dick", "Rick", "Rich"), "John": ("Jack",),
    "Joseph": ("Joe",), "Christopher": ("Chris", "Kit"), "Daniel": ("Dan", "Danny"),
    "Matthew": ("Matt",), "Anthony": ("Tony",), "Steven": ("Steve",), "Stephen": ("Steve",),
    "Andrew": ("Andy", "Drew"), "Kenneth": ("Ken",), "Edward": ("Ed", "Ted", "Ned"),
    "Nicholas": ("Nick",), "Benjamin": ("Ben",), "Timothy": ("Tim",), "David": ("Dave",),
    "Thomas": ("Tom", "Tommy"), "Harry": ("Henry",), "Jeffrey": ("Jeff",), "Alistair": ("Al",),
    "Katharina": ("Kathi", "Katja"), "Susanne": ("Susi", "Sanne"), "Christine": ("Tine",),
    "Elisabeth": ("Elli", "Lisbeth", "Sissi"), "Friederike": ("Rike",), "Johannes": ("Hannes",),
    "Maximilian": ("Max",), "Alexander": ("Alex", "Sascha"), "Wolfgang": ("Wolf",),
    "Matthias": ("Matze",), "Friedrich": ("Fritz",), "Heinrich": ("Heiner", "Heinz"),
    "Andreas": ("Andi",), "Michel": ("Mimi",), "Nathalie": ("Nath",), "Frédéric": ("Fred",),
    "Christophe": ("Chris",), "Kristina": ("Stina",), "José": ("Pepe",), "Olga": ("Olya",),
    "Dmitri": ("Dima",), "Sergej": ("Serjoscha",), "Guadalupe": ("Lupe",), "Lars": ("Lasse",),
}  # fmt: skip

JOBS = _words(
    "Managing Director, Head of Marketing, Sales Manager, Software Engineer, Buyer, CEO, CTO, "
    "Owner, Office Manager, Consultant, Teacher, Nurse, Student, Project Manager, HR Manager, "
    "Accountant, Geschäftsführer, Vertriebsleiterin, Einkauf, Directeur commercial, Architect, "
    "Electrician"
)
TRADES = _words(
    "Bau, Solar, Logistik, Software, Consulting, Dental, Catering, Design, Elektro, Metallbau, "
    "Analytics, Systems, Health, Energy, Travel, Foods, Media, Robotics, Immobilien, "
    "Insurance, Conseil, Transport, Bakery, Fitness, Security, Optics, Print, Labs, Motors, "
    "Interiors"
)
COINED = _words(
    "Nordlicht, Vexora, Datalume, Blue Harbor, Hansa, Greenfield, Quantiva, Alpenblick, "
    "Brightwater, Kestrel, Lumière, Solvend, Ironbridge, Westwind, Cobalt, Meridian, "
    "Stonegate, Aurora, Trivanta, Pinecrest, Rheingold, Côte Bleue, Silverline, Falkenberg, "
    "Oakhurst, Zephyr, Novatek, Kornblume, Atelier Sept, Fjord, Marlowe, Redwood, Sankt Georg, "
    "Elbufer, Tamarind, Polaris, Vantage, Halcyon"
)
CHAINS = _words("Fit & Froh Studio, Happy Paws Vet Clinic, Kinderland Kita, Corner Bean Coffee")
