"""Names that so many people have that they say little, where a hub has not counted its own yet.

The commonest of Germany, Austria, Switzerland, France, Italy, Spain, Latin America, Britain, the
United States, Scandinavia, Poland, Turkey, India, China, Korea and Vietnam.
"""

from chalicelib.lead.text import words

COMMON_FIRST = words(
    """
    adam ahmed alexander ali andrea andreas andrew anna antonio carlos catherine charles chris
    christian christine christopher claudia daniel david elena elizabeth emily emma eric eva
    francesco frank george giuseppe hans jack james jan jean jennifer jessica johan john jonas jorge
    jose joseph juan julia karin karl katarzyna kevin lars laura linda lisa lucas luis manuel marc
    marco maria marie mario mark markus martin mary matthew max mehmet michael michel mohammed
    monika nicole olivia patricia patrick paul peter philippe pierre piotr rachel rahul richard
    robert sabine sandra sara sarah simon sophie stefan stephen susan susanne thomas tomasz ursula
    wei william wolfgang
    """
)
COMMON_LAST = words(
    """
    adams ali allen anderson andersson bauer becker bernard brown campbell carter chen clark clarke
    cohen collins cruz davies davis diaz dubois durand edwards evans fernandez ferrari fischer
    flores garcia gomez gonzalez green gupta hall hansen harris hernandez hill hoffmann hughes huber
    jackson jansen jensen johansson johnson jones khan kim klein koch kowalski kumar lee leroy lewis
    li lin liu lopez martin martinez mehta meier meyer miller mitchell moore morales moreau moreno
    morris mueller murphy nelson nguyen nielsen nilsson nowak olsen park patel perez petit phillips
    ramirez ramos reyes richter rivera roberts robinson rodriguez roux ruiz sanchez santos scott
    schaefer schmidt schneider schroeder schulz shah sharma silva singh smith stewart taylor thomas
    thompson torres tran turner wagner walker wang ward watson weber white williams wilson wolf wood
    wright yang yilmaz young zhang
    """
)
"""Plain, as in `record.plain`."""
