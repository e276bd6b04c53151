"""Documents to JSON text and back. Arguments: first state, documents, rounds."""

import json
import sys

state, documents, rounds = map(int, sys.argv[1:])


def draw(bound):
    global state
    state = state * 16807 % 2147483647
    return state % bound


def document(number):
    amount, items, length = draw(1000), draw(20), draw(200)
    return {
        "number": number,
        "amount": amount,
        "text": "x" * length,
        "items": [{"position": i, "price": i * 0.25, "taxed": None} for i in range(items)],
        "places": {f"place {i}": [i, i + 1] for i in range(items // 2)},
    }


made = [document(number) for number in range(documents)]
total = 0
for _ in range(rounds):
    text = json.dumps(made)
    made = json.loads(text)
    total += sum(one["amount"] + len(one["items"]) + len(one["text"]) for one in made)
    if [one["number"] for one in made] != list(range(documents)):
        sys.exit("the documents are in another order")
    if json.dumps(made) != text:
        sys.exit("the documents are not what they were")
print(total)
