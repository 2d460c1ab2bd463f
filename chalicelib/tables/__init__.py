"""Tables that people send as files, CSV and XLSX: read row by row, in bounded memory; pure."""
