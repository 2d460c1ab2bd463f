"""Small JSON made smaller: zlib with words it is told beforehand, for one write unit is one KB."""

import zlib

FORMAT = b"\x01"
"""First byte of what is written. A new dictionary needs a new one, and the old one stays."""

DICTIONARY = (
    '"declined_by":["merged_into":"members":["is_partial":true"is_unowned":true"awaits":"owner"'
    '"status_reason":"withdrawn"quarantined"duplicate"cancelled"reason":"malformed: uncertain: '
    '"method":"POST","path":"/hooks/","source_id":"","query":{},"headers":{"content-type":'
    '["application/json"],"user-agent":["application/x-www-form-urlencoded"],"accept":["*/*"]'
    '"accept-encoding":["gzip, deflate"]"text":"{\\"campaign_id\\":\\"user_column_data\\":[{'
    '\\"column_name\\":\\"string_value\\":\\"column_id\\":\\"FIRST_NAME\\"LAST_NAME\\"WORK_EMAIL'
    '\\"PHONE_NUMBER\\"COMPANY_NAME\\"event_id\\":\\"event_type\\":\\"form_response\\":'
    '{\\"form_id\\":\\"token\\":\\"landed_at\\":\\"submitted_at\\":\\"hidden\\":{\\"definition'
    '\\":{\\"id\\":\\"title\\":\\"fields\\":[{\\"id\\":\\"type\\":\\"short_text\\",\\"title\\":'
    '\\"properties\\":{}},{\\"id\\":\\"multiple_choice\\"choices\\":[{\\"label\\":\\"answers\\":'
    '[{\\"type\\":\\"text\\",\\"text\\":\\"\\",\\"field\\":{\\"id\\":\\"type\\":\\"ref\\":\\"email'
    '\\",\\"email\\":\\"phone_number\\",\\"phone_number\\":\\"boolean\\":true,'
    '"form_title":"Book a demo"labels":{"page_url":"https://www.street":{"city":{"region":{'
    '"postal_code":{"job_title":{"website":{"utm_medium":"utm_content":"utm_term":"gclid":"'
    '"campaign":{"utm_source":"newsletter","utm_campaign":"consents":[{"consents":{"marketing":'
    '{"purpose":"contact","given":true,"wording":"I agree to be contacted","at":","evidence":"'
    '"unmapped":["identity_keys":["email:phone:+49","phone:+1person:linkedin:meta:'
    '"notes":["from:full_name"]},"notes":["country:DE from number"]},"notes":["from:email"]},'
    '"notes":["from:phone"]},"notes":["from:settings","weak"]},"notes":["role_address","free_mail"'
    '"because":"no lead holds any of its identity keys, so it is a new lead"},{"kind":"score",'
    '"because":"one lead holds its identity keys"inputs":{"touch_id":"kinds":["email","phone"]},'
    '"terms":[{"part":"fit","rule_id":"points":10,"because":"{"part":"engagement","rule_id":"'
    '"points":20,"because":"fit  and engagement lead_version":"facts":{"candidates":[{"candidate":"'
    '"is_eligible":false,"because":"is_eligible":true,"because":"can take leads now; even; most due'
    '"},{"candidate":"is_eligible":true,"because":"can take leads now; comes later"}],"result":"'
    " was most due of  who could take it: even before, and this lead earned 0.5 of one owed ahead"
    '"inputs":{"lead_id":"version":"rule":"pool":"ledger_version":"roster_version":1},'
    '"event_id":"kind":"assigned","at":"actor":"hub","text":"given to : "decisions":[{"kind":"'
    'match","decided_at":"route","decided_at":"rule","decided_at":"config_hash":"code":"0.1.0",'
    '"effect_id":"destination_id":"kind":"returned","state":"pending"sending"done","version":'
    '"attempts":[{"at":"outcome":"sent"}],"proof":"@email.amazonses.com"due_at":"'
    '"assignment":{"assignment_id":"owner_id":"pool_id":"rule_id":"assigned_at":"accepted_at":"'
    '"delivery_id":"01m7","source_id":"website","connector":"html_form"linkedin"google_ads"meta"'
    'generic_json"typeform","external_id":"received_at":"2026-11-2027-01-","version":2,"outcome":'
    '"accepted","results":{"0":{"outcome":"accepted","external_id":"","lead_id":"","touch_id":"'
    '"}},"acts":1}"acted_at":"revision":"position":"claim"'
    '"score":{"total":"fit":"engagement":"terms":[{"scored_at":"status":"assigned","stage":"MQL",'
    '"SQL","routed":1,"first_touch":{"touch_id":"at":"source_id":"form":"last_touch":{"touch_id":"'
    '"contact":{"message":{"value":"company":{"value":"first_name":{"value":"last_name":{"value":"'
    '"full_name":{"value":"company_domain":{"value":"country":{"value":"DE","raw":"language":'
    '{"value":"en","raw":"time_zone":{"value":"Europe/Berlin","raw":"phone":{"value":"+49'
    '"email":{"value":"@example.com","raw":"notes":["answers":{"custom":{"company_size":{"value":'
    '"lead_id":"version":1,"created_at":"2026-11-","updated_at":"2026-11-","touch_count":1,'
    '"profile":{"value":"touch_id":"at":"2026-11-2T:.Z"},"'
).encode("ascii")
"""Words of what the hub stores, the most frequent last. What was written with them needs them for
ever: never change a letter."""


def shrink(data: bytes) -> bytes:
    """Compress bytes."""
    packer = zlib.compressobj(level=6, wbits=-15, zdict=DICTIONARY)
    return FORMAT + packer.compress(data) + packer.flush()


def grow(data: bytes) -> bytes:
    """Give the bytes back that were compressed.

    Raises:
        ValueError: this was not written by shrink.
    """
    if data[:1] != FORMAT:
        raise ValueError(f"unknown format of stored data: {data[:1]!r}")
    try:
        return zlib.decompressobj(wbits=-15, zdict=DICTIONARY).decompress(data[1:])
    except zlib.error as error:
        raise ValueError("stored data is damaged") from error
