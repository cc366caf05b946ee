"""Writes signature-corpus.json: signatures by Python's hmac and by OpenSSL (through `cryptography`), so that the tests of
signing do not compare this package with itself. Run again only to add cases: python3 make-signature-corpus.py"""
import base64, hashlib, hmac, json, pathlib
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives import serialization

def bytes_from(label, count):
    return hashlib.shake_256(label.encode()).digest(count)

def b64(data):
    return base64.b64encode(data).decode()

BODIES = {
    'plain': b'{"event_id":"evt_corpus_0001","type":"agent.run.started","data":{"status":"running"}}',
    'empty': b'',
    'multi-byte': '{"text":"žluťoučký 日本 🚀"}'.encode(),
    'line breaks': b'{\r\n  "a": 1\n}\n',
    'not UTF-8': bytes(range(256)),
    'long': b'{"x":"' + b'y' * 70000 + b'"}',
}

cases = []
for number, (name, body) in enumerate(BODIES.items()):
    id_, timestamp = f'evt_corpus_{number:04d}', 1_800_000_000 + number * 97
    signed = f'{id_}.{timestamp}.'.encode() + body
    signatures = []
    for length in (24, 32, 64):
        key = bytes_from(f'{name} {length}', length)
        mac = hmac.new(key, signed, hashlib.sha256).digest()
        signatures.append({'secret': 'whsec_' + b64(key), 'signature': 'v1,' + b64(mac)})
    seed = bytes_from(f'{name} ed25519', 32)
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    cases.append({
        'name': name, 'id': id_, 'timestamp': timestamp, 'body_base64': b64(body), 'hmac': signatures,
        'ed25519': {
            'private_key': 'whsk_' + b64(seed), 'public_key': 'whpk_' + b64(public),
            'signature': 'v1a,' + b64(private.sign(signed)),
        },
    })

# The long body compresses to its rule, so that the file stays small.
for case in cases:
    if case['name'] == 'long':
        case['body_base64'] = None
        case['body_rule'] = '{"x":"' + 'y*70000' + '"}'
pathlib.Path(__file__).with_name('signature-corpus.json').write_text(json.dumps(cases, indent=1, ensure_ascii=False) + '\n')
