"""A month of a small shop: its feeds, and what lands on which day. Late files, bad rows, a column that comes, deletes,
a file under another header, far more rows than usual: something of everything that pages and reports tell."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random

__all__ = ["SHOP", "Visit", "shop_environment", "visits"]

_NIGHT, _DAY = time(2), time(14)
"""When the shop's systems send what they have (UTC), and when files are loaded."""

_FEEDS = {
    "orders": """\
description: Orders of the web shop, as they are each night
owner: sales@example.com
tags: [sales, daily]
source: {path: "${landing}/orders/", format: csv, files: "orders_{business_date:yyyyMMdd}*.csv"}
schema:
  order_id: {type: bigint, description: Number on the invoice}
  customer_id: bigint
  status: {type: string, required: true, accepted_values: [new, paid, sent, erased]}
  amount: {type: "decimal(10,2)", min: 0, description: In euros with tax}
  updated_at: timestamp
  business_date: {type: date, from_file: business_date}
quarantine: {max_bad_ratio: 0.2}
target: {table: sales.orders, keys: [order_id], sequence_by: updated_at, apply_as_deletes: "status = 'erased'"}
expect: {every: 1 day, by: "06:00", rows: {min: 1}}
""",
    "payments": """\
description: Payments, from the bank
owner: finance@example.com
tags: [finance, daily]
source: {path: "${landing}/payments/", format: csv, options: {sep: ";"}}
schema:
  payment_id: bigint
  order_id: {type: bigint, required: true}
  amount: "decimal(10,2)"
  method: {type: string, accepted_values: [card, invoice, transfer]}
  paid_at: timestamp
target: {table: finance.payments, keys: [payment_id], sequence_by: paid_at}
expect: {every: 1 day, by: "06:00"}
""",
    "customers": """\
description: Customers with their history; addresses of mail are masked
owner: crm@example.com
tags: [crm, pii]
source: {path: "${landing}/customers/", format: csv}
schema:
  customer_id: bigint
  name: {type: string, required: true}
  email: {type: string, pattern: "^[^@]+@[^@]+$", mask: {method: sha256}}
  city: string
  updated_at: timestamp
target: {table: crm.customers, keys: [customer_id], scd_type: 2, sequence_by: updated_at}
""",
    "products": """\
description: All products that are for sale, each night anew
owner: sales@example.com
tags: [sales, daily]
source: {path: "${landing}/products/", format: json, files: "products_{as_of:yyyyMMdd}.jsonl", order_by: as_of}
schema:
  sku: string
  name: string
  price: {type: "decimal(8,2)", min: 0}
  margin: {type: double, expr: "round(price * 0.3, 2)"}
target: {table: sales.products, mode: snapshot, keys: [sku]}
expect: {every: 1 day, by: "06:00"}
""",
    "stock": """\
description: Movements in the warehouse, some files a day
owner: warehouse@example.com
tags: [warehouse]
source: {path: "${landing}/stock/", format: csv}
schema:
  sku: {type: string, required: true}
  moved: int
  place: string
  at: timestamp
checks:
  - {name: not_too_many, expr: "abs(moved) < 400", action: warn}
target: {table: warehouse.movements, mode: append}
""",
    "supplier_prices": """\
description: Prices of a supplier, once a week
owner: purchasing@example.com
tags: [purchasing, weekly]
source: {path: "${landing}/supplier_prices/", format: csv}
schema:
  sku: string
  price: "decimal(8,2)"
  valid_from: date
target: {table: purchasing.prices, keys: [sku], sequence_by: valid_from}
expect: {every: 8 days}
""",
    "reviews": """\
description: What customers say
owner: marketing@example.com
tags: [marketing]
source: {path: "${landing}/reviews/", format: json}
schema:
  review_id: bigint
  sku: string
  stars: {type: int, min: 1, max: 5}
  words: {type: string, source_name: text.body}
  written_at: timestamp
target: {table: marketing.reviews, mode: insert_only, keys: [review_id]}
expect: {every: 1 day, rows: {max: 300%}}
""",
}
SHOP = {f"pipelines_config/feeds/{name}.yml": f"feed: {name}\n{text}" for name, text in _FEEDS.items()}
"""The shop's feed files, by their paths."""
_CITIES = ("Bologna", "Bergen", "Brno", "Burgos", "Bremen", "Bristol")
_WORDS = ("as described", "came late", "too small", "very good", "would buy again")


def shop_environment(environment: str) -> str:
    """The environment of the shop, which leaves a report of every run and figures for Prometheus."""
    return environment + "reports: ./data/reports\nmetrics: ./data/landfeed.prom\n"


@dataclass(frozen=True, slots=True)
class Visit:
    """At a moment (UTC) these files land, by their paths below the project, and what has landed is loaded."""

    at: datetime
    files: Mapping[str, str]


def visits(days: int, now: datetime) -> Iterator[Visit]:
    """What happens on each of the last days, the last of which is today, until now. The same days give the same."""
    shop = _Shop(Random(days))  # noqa: S311 (a shop, no secret)
    for left in reversed(range(days)):
        day = now.date() - timedelta(days=left)
        night, noon = (datetime.combine(day, at, now.tzinfo) for at in (_NIGHT, _DAY))
        yield Visit(min(night, now), _landed(shop.at_night(day, left)))
        if noon < now:
            yield Visit(noon, _landed(shop.at_day(day, left)))


def _landed(files: Mapping[str, str]) -> dict[str, str]:
    return {f"data/source/{name}": text for name, text in files.items()}


@dataclass(slots=True)
class _Shop:
    """The shop's systems, of which some do not always do what was agreed."""

    dice: Random
    orders: dict[int, list[object]] = field(default_factory=dict)
    prices: dict[str, float] = field(default_factory=lambda: {f"P{n:03}": 5 + n * 0.75 for n in range(120)})
    payments: int = 0
    reviews: int = 0
    again: str = ""

    def at_night(self, day: date, left: int) -> dict[str, str]:
        """What comes at night; `left` days are still to come."""
        files = {f"customers/{day:%Y%m%d}.csv": self._customers(day, left)}
        files[f"products/products_{day:%Y%m%d}.jsonl"] = self._products()
        orders = self._orders(day, left)
        if left == 12:  # as if written by another country's program; sent again by day
            self.again, orders = orders, orders.replace(".", ",")
        files[f"orders/orders_{day:%Y%m%d}.csv"] = orders
        if left not in (0, 1, 21):
            files[f"payments/{day:%Y%m%d}.csv"] = self._payments(day)
        if left % 7 == 0:
            files[f"supplier_prices/week_{day:%V}.csv"] = self._supplier(day, renamed=left == 0)
        files[f"reviews/{day:%Y%m%d}.json"] = self._reviews(day, 400 if left == 0 else self.dice.randint(20, 50))
        return files

    def at_day(self, day: date, left: int) -> dict[str, str]:
        """What comes by day."""
        files = {f"stock/{day:%Y%m%d}_{n}.csv": self._stock(day) for n in range(self.dice.randint(1, 4))}
        if left == 12:
            files[f"orders/orders_{day:%Y%m%d}_again.csv"] = self.again
        if left == 21:  # the bank was late
            files[f"payments/{day:%Y%m%d}.csv"] = self._payments(day)
        return files

    def _busy(self, day: date) -> float:
        return (0.55 if day.weekday() > 4 else 1.0) * self.dice.uniform(0.85, 1.15)

    def _orders(self, day: date, left: int) -> str:
        rows, dice, at = [], self.dice, f"{day} 01:"
        for number in dice.sample(sorted(self.orders), min(len(self.orders), 60)):
            order = self.orders[number]
            order[1] = {"new": "paid", "paid": "sent"}.get(str(order[1]), "erased" if dice.random() < 0.1 else "sent")
            rows.append((number, *order, f"{at}{dice.randrange(60):02}:00"))
            if order[1] == "erased":
                del self.orders[number]
        for _ in range(int(180 * self._busy(day))):
            number = 10_000 + (999 - left) * 400 + len(rows)
            self.orders[number] = [dice.randrange(1, 500), "new", f"{dice.lognormvariate(3.5, 0.8):.2f}"]
            rows.append((number, *self.orders[number], f"{at}{dice.randrange(60):02}:30"))
        for _ in range(dice.choice((0, 0, 1, 3, 5))):
            bad = dice.choice(
                ((None, "paid", "9.90"), (17, "payed", "12.00"), (18, "new", "-1.00"), (19, "sent", "n/a"))
            )
            rows.append((bad[0] or "", dice.randrange(500), bad[1], bad[2], f"{at}00:00"))
        names = ["order_id", "customer_id", "status", "amount", "updated_at"]
        if left < 14:  # since then the shop says where orders come from
            return _csv([*names, "channel"], ((*row, dice.choice(("web", "app", "phone"))) for row in rows))
        return _csv(names, rows)

    def _payments(self, day: date) -> str:
        rows = []
        for order in self.dice.sample(sorted(self.orders), min(len(self.orders), int(90 * self._busy(day)))):
            self.payments += 1
            method = "cash" if self.dice.random() < 0.01 else self.dice.choice(("card", "invoice", "transfer"))
            rows.append(
                (self.payments, order, self.orders[order][2], method, f"{day} 00:{self.dice.randrange(60):02}:00")
            )
        return _csv(["payment_id", "order_id", "amount", "method", "paid_at"], rows, ";")

    def _customers(self, day: date, left: int) -> str:
        rows = []
        for number in self.dice.sample(range(1, 500), 12):
            mail = f"c{number}.example.com" if self.dice.random() < 0.03 else f"c{number}@example.com"
            rows.append((number, f"Customer {number}", mail, self.dice.choice(_CITIES), f"{day} 00:30:00"))
        names = ["customer_id", "name", "email", "city", "updated_at"]
        return _csv(names[:3] + names[4:], (row[:3] + row[4:] for row in rows)) if left == 6 else _csv(names, rows)

    def _products(self) -> str:
        for sku in self.dice.sample(sorted(self.prices), 3):
            self.prices[sku] *= self.dice.uniform(0.9, 1.12)
        if self.dice.random() < 0.3:
            del self.prices[self.dice.choice(sorted(self.prices))]
        found = ({"sku": sku, "name": f"Product {sku}", "price": round(each, 2)} for sku, each in self.prices.items())
        return _lines(found)

    def _stock(self, day: date) -> str:
        rows = []
        for _ in range(self.dice.randint(15, 60)):
            sku, at = self.dice.choice(sorted(self.prices)), f"{day} 1{self.dice.randrange(4)}:00:00"
            rows.append((sku, int(self.dice.gauss(0, 120)), f"shelf {self.dice.randrange(40)}", at))
        return _csv(["sku", "moved", "place", "at"], rows)

    def _supplier(self, day: date, *, renamed: bool) -> str:
        rows = ((sku, f"{price * 0.6:.2f}", day) for sku, price in self.prices.items())
        return _csv(["article", "net", "from"] if renamed else ["sku", "price", "valid_from"], rows)

    def _reviews(self, day: date, count: int) -> str:
        found = []
        for _ in range(count):
            self.reviews += 1
            stars = 11 if self.dice.random() < 0.01 else self.dice.randint(1, 5)
            sku, words = self.dice.choice(sorted(self.prices)), self.dice.choice(_WORDS)
            at = f"{day}T00:{self.dice.randrange(60):02}:00Z"
            review = {"review_id": self.reviews, "sku": sku, "stars": stars, "text": {"body": words}, "written_at": at}
            found.append(review)
        return _lines(found)


def _csv(names: Iterable[str], rows: Iterable[Iterable[object]], sep: str = ",") -> str:
    return "".join(f"{sep.join(map(str, row))}\n" for row in (names, *rows))


def _lines(rows: Iterable[Mapping[str, object]]) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)
