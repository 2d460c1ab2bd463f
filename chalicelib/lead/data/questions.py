"""How people word the questions of forms in German, French and Spanish, and some more in English.

The usual English names are in chalicelib.spelling. Accents and case do not count.
"""

WORDS = {
    "email": (
        "mailadresse | mailanschrift | elektronische adresse | courriel | adresse electronique"
        " | adresse mail | adresse courriel | correo | correo electronico | direccion de correo"
        " | email id | electronic mail"
    ),
    "phone": (
        "telefon | telefonnummer | rufnummer | mobilnummer | handy | handynummer | mobil | festnetz"
        " | durchwahl | telephone | numero de telephone | portable | numero de portable"
        " | telephone portable | gsm | telefono | numero de telefono | movil | celular"
        " | telefono movil | whatsapp | whatsapp number | call you on | call you at"
        " | number to call | mobilephone | cellphone | callback number"
    ),
    "full_name": (
        "vor und nachname | vollstandiger name | ihr name | wie heissen sie | wie heisst du"
        " | nom complet | nom et prenom | prenom et nom | comment vous appelez vous"
        " | nombre completo | nombre y apellidos | nombre y apellido | como te llamas"
        " | como se llama usted | what is your name | who are you | first and last name"
    ),
    "first_name": "vorname | prenom | nombre de pila | primer nombre | forename | givenname",
    "last_name": (
        "nachname | familienname | zuname | nom de famille | apellido | apellidos | familyname"
    ),
    "company": (
        "firma | firmenname | unternehmen | unternehmensname | betrieb | arbeitgeber"
        " | name ihrer firma | name ihres unternehmens | entreprise | societe | raison sociale"
        " | nom de l entreprise | nom de la societe | employeur | organisme | empresa"
        " | nombre de la empresa | razon social | compania | organizacion | where do you work"
        " | which company | place of work"
    ),
    "company_domain": "company domain | firmendomain",
    "website": (
        "webseite | internetseite | internetauftritt | internetadresse | webadresse | site web"
        " | site internet | sitio web | pagina web | url | web address | company url | site"
    ),
    "job_title": (
        "position | berufsbezeichnung | stellenbezeichnung | funktion | ihre rolle | fonction"
        " | poste | poste occupe | intitule de poste | cargo | puesto | puesto de trabajo"
        " | what do you do | your role | occupation"
    ),
    "message": (
        "nachricht | ihre nachricht | mitteilung | anliegen | ihr anliegen | anfrage | bemerkung"
        " | bemerkungen | kommentar | worum geht es | worum soll es | wie konnen wir | noch etwas"
        " | votre message | votre demande | demande | commentaire | commentaires | remarques"
        " | comment pouvons nous | mensaje | consulta | comentario | comentarios | observaciones"
        " | en que podemos | notes | anything else | tell us | describe | details | request"
        " | your project"
    ),
    "street": (
        "strasse | strasse hausnummer | strasse und hausnummer | hausnummer | anschrift | rue"
        " | adresse postale | calle | direccion | domicilio"
    ),
    "city": "stadt | ort | wohnort | ville | commune | ciudad | poblacion | localidad",
    "region": "bundesland | kanton | departement | provincia | comunidad autonoma",
    "postal_code": "plz | postleitzahl | code postal | codigo postal",
    "country": "land | pays | pais | which country",
    "language": "sprache | langue | idioma | preferred language",
    "time_zone": "zeitzone | fuseau horaire | zona horaria",
    "date_of_birth": (
        "geburtsdatum | geburtstag | geboren am | date de naissance | ne le | fecha de nacimiento"
        " | born on | your birthday"
    ),
}
"""By contact field: wordings, parted by bars."""

VAGUE = {
    "name": ("full_name",),
    "nom": ("full_name", "last_name"),
    "nombre": ("full_name", "first_name"),
    "first": ("first_name",),
    "last": ("last_name",),
    "vor": ("first_name",),
    "nach": ("last_name",),
    "address": ("street", "email"),
    "adresse": ("street", "email"),
    "number": ("phone",),
    "mail": ("email",),
}
"""Words that mean a field only where nothing says more, and which."""

NO_FIELD = (
    "how did you hear | hear about us | heard about us | found us | privacy | terms | consent"
    " | i agree | newsletter | subscribe | marketing | vat | tax | date | appointment | captcha"
    " | score | discount | coupon | age | gender | wie haben sie von uns | aufmerksam geworden"
    " | datenschutz | agb | einwilligung | zustimmung | ich stimme | termin | wunschtermin"
    " | datum | umsatzsteuer | steuernummer | ust | anrede | alter | gutschein"
    " | comment avez vous connu | confidentialite | conditions | j accepte | tva | date souhaitee"
    " | rendez vous | civilite | como nos conocio | como nos ha conocido | privacidad"
    " | condiciones | acepto | fecha | cita | nif | cif | iva | salutation | how many | combien"
    " | wie viele | cuantos | cuantas | budget | presupuesto | size | taille | tamano"
)
"""Wordings of questions that no contact field is for."""

OTHER_PERSON = (
    "colleague | coworker | friend | referral | referred by | guest | guests | assistant"
    " | emergency | spouse | partner s | second contact | kollege | kollegin | freund | begleitung"
    " | empfohlen von | assistenz | collegue | ami | invite | parrain | companero | amigo"
    " | invitado | recomendado por"
)
"""Wordings that say that it is somebody else who is asked for."""

IDLE = (
    "your our the a an of for to is are we you what please enter in on at and or do us my me field"
    " question input answer text form lead contact person hidden custom ihr ihre ihren ihrer ihres"
    " sie wie der die das und oder bitte ist wir von zu im am auf mit lautet votre vos le la les l"
    " de des du d un une et ou est quel quelle nous vous tu su sus el los las y o es cual que en"
    " por con value name1"
)
"""Words that say nothing of what is asked."""
