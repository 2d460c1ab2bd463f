"""How columns of event lists and exports are called, in several languages."""

from collections.abc import Mapping

from chalicelib.lead.model import CAMPAIGN_KEYS
from chalicelib.lead.text import fold
from chalicelib.spelling import NAMES

OUTCOME_COLUMNS = ("hub row", "hub outcome", "hub reason", "hub lead")
"""Columns that the hub itself writes in front of a file's own; they are left out on the way in."""

ELSEWHERE: Mapping[str, str] = {
    "email": "e-mail-adresse mailadresse email-adresse adresse-e-mail adresse-mail courriel "
    "adresse-électronique correo correo-electrónico indirizzo-email posta-elettronica e-mailadres "
    "adres-e-mail adres-email endereço-de-e-mail epost e-post sähköposti メールアドレス 邮箱 "
    "электронная-почта почта e-mail-1 email-1 primary-email email-opt business-e-mail",
    "phone": "telefon telefonnummer telefon-nr rufnummer mobil mobiltelefon handy handynummer "
    "téléphone portable numéro-de-téléphone tél teléfono móvil número-de-teléfono telefono "
    "cellulare numero-di-telefono telefoonnummer telefoon mobiel numer-telefonu komórka telefone "
    "celular telemóvel puhelin 電話番号 电话 手机 телефон мобильный phone-1 primary-phone",
    "full_name": "vollständiger-name ansprechpartner kontakt kontaktperson nom-complet "
    "nombre-completo nome-completo nome-e-cognome volledige-naam contactpersoon imię-i-nazwisko "
    "contact contact-person attendee attendee-name guest participant teilnehmer 氏名 姓名 фио",
    "first_name": "vorname rufname prénom prenom nombre nombre-de-pila voornaam imię primeiro-nome "
    "förnamn fornavn etunimi 名 名字 имя attendee-first-name",
    "last_name": "nachname familienname zuname nom nom-de-famille apellido apellidos cognome "
    "achternaam familienaam nazwisko sobrenome apelido efternamn etternavn sukunimi 姓 姓氏 фамилия"
    " attendee-last-name",
    "company": "firma unternehmen firmenname arbeitgeber organisation société entreprise empresa "
    "compañía azienda società ragione-sociale bedrijf bedrijfsnaam företag firma-nazwa yritys "
    "会社名 会社 公司 компания account account-name institution",
    "website": "webseite internetseite webadresse homepage url site-web site sito sito-web "
    "página-web sitio-web strona-www сайт company-url",
    "job_title": "position funktion berufsbezeichnung stelle jobbezeichnung title fonction poste "
    "titre cargo puesto ruolo qualifica functie functietitel stanowisko função tittel 役職 职位 "
    "должность designation",
    "message": "nachricht bemerkung bemerkungen anmerkung anmerkungen kommentar notiz notizen "
    "remarques commentaire commentaires notas comentarios mensaje note commenti messaggio "
    "opmerkingen bericht uwagi wiadomość notes note remarks qualifier-notes メモ 备注 комментарий",
    "street": "straße strasse straße-und-hausnummer anschrift adresse rue calle dirección "
    "indirizzo via straat adres ulica rua endereço gata улица",
    "city": "stadt ort wohnort ville ciudad città citta plaats woonplaats miasto cidade "
    "miejscowość stad 市 城市 город",
    "region": "bundesland kanton land-region région provincia regione provincie województwo estado "
    "distrito 都道府県 省",
    "postal_code": "plz postleitzahl code-postal código-postal codigo-postal cap postcode "
    "kod-pocztowy cep postnummer 郵便番号 邮编 индекс",
    "country": "land staat pays país pais paese kraj nazione maa 国 国家 страна country-region",
    "language": "sprache langue idioma lingua taal język språk 言語 语言 язык",
    "id": "id badge-id badge badge-number barcode registration-id registrant-id attendee-id "
    "lead-id contact-id record-id order-id ticket-id scan-id submission-id response-id external-id "
    "kontakt-id teilnehmer-id nr row-id uuid guid",
    "submitted_at": "when wann quand scan-time scanned-at scan-date time timestamp date created "
    "created-at created-date created-time creation-date date-created registered registered-at "
    "registration-date "
    "registration-time submitted submitted-at submission-date submitted-on lead-date "
    "date-added captured-at datum uhrzeit zeitpunkt zeitstempel erstellt-am erfasst-am "
    "anmeldedatum fecha date-de-création fecha-de-creación data data-di-creazione "
    "datum-aangemaakt 日時 日期 дата",
    "consent.marketing": "opt-in optin opt-in-marketing marketing-consent marketing-opt-in "
    "email-opt-in newsletter newsletter-opt-in subscribed marketing gdpr-marketing "
    "einwilligung-marketing werbeeinwilligung accept-marketing accepts-marketing "
    "consentement-marketing consenso-marketing consentimiento-marketing",
    "consent.contact": "gdpr gdpr-consent consent dsgvo einwilligung datenschutz "
    "kontakt-erlaubt may-contact contact-consent permission-to-contact rgpd consentement consenso "
    "consentimiento toestemming zgoda avg permission",
    "form": "event event-name event-code campaign-name-event veranstaltung messe événement evento "
    "show tradeshow",
}
"""By what a column can be mapped to: names beside those of spelling.NAMES, blanks as hyphens."""


def header_key(text: str) -> str:
    """Reduce a header to what people mean by the same."""
    return " ".join(fold(text.replace("_", " ")).split())


def names() -> dict[str, str]:
    """Map every known header, reduced by header_key, to what it is likely to hold."""
    found: dict[str, str] = {}
    for field, spelled in NAMES.items():
        for name in spelled:
            found.setdefault(header_key(name), field)
    for field, spelled_elsewhere in ELSEWHERE.items():
        for name in spelled_elsewhere.split():
            found.setdefault(header_key(name.replace("-", " ")), field)
    for key in CAMPAIGN_KEYS:
        found.setdefault(header_key(key), key)
    return found
