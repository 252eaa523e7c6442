"""Does EDGE show what INDEX announced?  python3 assert.py INDEX EDGE; exit code 1: no."""
import hashlib, json, sys, urllib.error, urllib.request
index, edge = (url.rstrip("/") for url in sys.argv[1:])
def get(url):
    request = urllib.request.Request(url, headers={"Accept": "text/html"})
    try: return urllib.request.urlopen(request, timeout=90).read()
    except urllib.error.HTTPError as error: return b"%d" % error.code
latest, since, more, wrong = {}, 0, True, 0
while more:
    answer = json.loads(get(f"{index}/changelog/?since={since}&limit=10000"))
    latest.update((row["project"], row["page"]) for row in answer["changes"] if row["project"])
    since, more = answer["next"], answer["more"]
for project, page in sorted(latest.items()):
    shown = get(f"{edge}/simple/{project}/")
    serial = shown.rpartition(b"<!--SERIAL ")[2].removesuffix(b"-->").decode("latin-1")
    right = hashlib.sha256(shown).hexdigest() == page["html"]["sha256"] if page else shown == b"404"
    if not right and not (shown.endswith(b"-->") and serial.isdigit() and int(serial) > since):
        print(f"{project}: not the page at serial {page['serial'] if page else since}"); wrong = 1
sys.exit(wrong)
