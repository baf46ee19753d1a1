# Two commands matter: `make demo` and `make test`. Each installs what it needs into .venv.
PYTHON ?= python3
V = .venv/bin
WITH = $(V)/python -m advocacy.withservices

# What Python compiled is kept, also where containers turn that off: servers, workers and test
# processes are started by the dozen, and each would compile all of it anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test walks proof lint test-bluesky bench goals messages lock
.DEFAULT_GOAL := demo

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Botschaft needs Python 3.11 or later."; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "Python's venv is missing: install the package python3-venv."; rm -rf .venv; exit 1; }

.venv/demo.stamp: requirements/demo.txt .venv/bin/python
	$(V)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/demo.txt
	touch $@

.venv/dev.stamp: requirements/dev.txt .venv/bin/python
	$(V)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	touch $@ .venv/demo.stamp

locale/de/LC_MESSAGES/django.mo: locale/de/LC_MESSAGES/django.po
	$(V)/pybabel --quiet compile -i $< -o $@.new
	mv $@.new $@

demo: .venv/demo.stamp locale/de/LC_MESSAGES/django.mo
	@PORT='$(PORT)' RESET='$(RESET)' $(V)/python -m advocacy.demo

# One more than there are cores: many tests wait for processes that they started.
test: .venv/dev.stamp locale/de/LC_MESSAGES/django.mo
	$(WITH) $(V)/python -m pytest --numprocesses $$(( $$(getconf _NPROCESSORS_ONLN) + 1 )) --dist worksteal $(ARGS)

# The same pages in a browser: keyboard, phone and desk, light and dark, accessibility.
walks: .venv/dev.stamp locale/de/LC_MESSAGES/django.mo
	@command -v chromium >/dev/null || echo "Walks are skipped: install the package chromium to run them."
	$(WITH) $(V)/python -m pytest --numprocesses auto --dist worksteal -m "walk and not bluesky" $(ARGS)

# What is statistical, at the size of the contract, one by one, with its figures.
proof: .venv/dev.stamp locale/de/LC_MESSAGES/django.mo
	PROOF=full $(WITH) $(V)/python -m pytest -s $(or $(ARGS),tests/test_publishing.py tests/test_endings.py tests/test_takeovers.py tests/test_afterwards.py tests/test_tokens.py tests/test_connect.py tests/test_secrets.py tests/test_clicks.py)

# Every case of ../shared/badinputs.json at its doors (G16): none 5xx, and how long the slowest takes.
.PHONY: corpus
CORPUS = api bad_datetimes bad_feeds bad_issues bad_questions bad_requests bad_texts bad_uploads board calendar connect corpus_table guidelines ideas lessons markup people_import safe_fetch speakers spreadsheets training webhooks wire writing
corpus: .venv/dev.stamp locale/de/LC_MESSAGES/django.mo
	$(WITH) $(V)/python -m pytest --numprocesses auto -k "corpus or case or foreign or strange or bad_titles or html or judged or formula" $(CORPUS:%=tests/test_%.py) $(ARGS)

# Addresses and pictures bent at random, at the size of the contract (G17, G18).
.PHONY: fuzz
fuzz: .venv/dev.stamp locale/de/LC_MESSAGES/django.mo
	PROOF=full $(WITH) $(V)/python -m pytest -s --numprocesses 0 tests/test_fuzz.py

lint: .venv/dev.stamp locale/de/LC_MESSAGES/django.mo
	$(V)/ruff check .
	$(V)/ruff format --check .
	$(WITH) $(V)/mypy
	$(V)/djlint --lint --quiet templates
	$(WITH) $(V)/python manage.py makemigrations --check --dry-run
	$(WITH) $(V)/python -m pytest -q tests/test_architecture.py tests/test_translations.py

test-bluesky: .venv/dev.stamp locale/de/LC_MESSAGES/django.mo
	$(WITH) $(V)/python -m pytest -m bluesky tests/bluesky

# On a quiet machine: make bench SIZE=2000, make goals GOALS="hold fair".
bench: .venv/dev.stamp locale/de/LC_MESSAGES/django.mo
	$(V)/python -m bench $(if $(SIZE),--size $(SIZE))

goals: .venv/dev.stamp locale/de/LC_MESSAGES/django.mo
	$(V)/python -m bench.goals $(GOALS)

# For developers: collect texts (needs gettext), lock requirements (needs uv).
messages: .venv/dev.stamp
	$(WITH) $(V)/python manage.py makemessages -l de --no-location --no-wrap -i .venv -i site -i var

lock:
	cd requirements && for name in app demo dev docs fuzz audit; do uv pip compile --quiet --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --python-version 3.11 $$name.in -o $$name.txt; done

# The proof that the promises hold, with real processes (tests/chaos). Each ends with 1 on a
# violation. SEED and ARGS are passed on: make chaos SEED=2, make mutants ARGS="--only gate".
.PHONY: chaos chaos-ci failpoints mutants deploys
READY = .venv/dev.stamp locale/de/LC_MESSAGES/django.mo
STORM = $(V)/python -m tests.chaos.chaos --seed $(or $(SEED),1)

chaos: $(READY)
	$(STORM) --count 10000 --spread 330 --kills 195 --workers 22 --stops 60 --redis 5 --postgres 3 --holds 60 $(ARGS)

chaos-ci: $(READY)
	$(STORM) --count 1500 --spread 50 --kills 25 --workers 3 --stops 8 --redis 1 --postgres 1 --holds 10 $(ARGS)

failpoints: $(READY)
	$(V)/python -m tests.chaos.failpoints $(ARGS)

mutants: $(READY)
	$(V)/python -m tests.chaos.mutants $(ARGS)

deploys: $(READY)
	$(STORM) --count 6000 --spread 200 --deploys 20 --faults 0 --holds 0 --failpoints "" $(ARGS)

# Fifty curators on 200 drafts for ten minutes: no typed sentence lost, no 5xx, p95 of a save.
.PHONY: curators curators-ci
curators: $(READY)
	$(V)/python -m bench.curators --keep $(ARGS)

curators-ci: $(READY)
	$(V)/python -m bench.curators --seconds 20 --suggestions 40 --pace 1 --no-goal $(ARGS)

# Two hours of posts and pages: what grows, what stays stuck. make soak ARGS="--minutes 10 --count 2000"
.PHONY: soak
soak: $(READY)
	$(V)/python -m bench.soak $(ARGS)

# Every operation of the API under generated requests, with all checks, in an environment of its
# own (Python 3.12 or later, because the tool trips over a fault of 3.11). make api-fuzz EXAMPLES=600
.PHONY: api-fuzz
FUZZ_PYTHON ?= python3
.venv/fuzz/bin/schemathesis: requirements/fuzz.txt
	@$(FUZZ_PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 12))' || { echo "Set FUZZ_PYTHON to a Python 3.12 or later."; exit 1; }
	$(FUZZ_PYTHON) -m venv .venv/fuzz
	.venv/fuzz/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/fuzz.txt
	touch $@

api-fuzz: $(READY) .venv/fuzz/bin/schemathesis
	$(V)/python -m bench.api_fuzz .venv/fuzz/bin/schemathesis --examples $(or $(EXAMPLES),30) $(ARGS)

# Known holes in what we build on, the list of components (var/sbom.json), Django's own check. Needs a
# network that reaches the index's advisories; says "not run", and ends with an error, without it.
.PHONY: audit
.venv/audit/bin/pip-audit: requirements/audit.txt
	$(PYTHON) -m venv .venv/audit
	.venv/audit/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/audit.txt
	touch $@

audit: .venv/dev.stamp .venv/audit/bin/pip-audit
	$(V)/python -m bench.audit

# What guards the promises, line by line and branch by branch (G34): its own tests must run all of it.
.PHONY: coverage
GUARDS = access anonymity api corners edges endings neighbours publishing roles second_factor stepup takeovers tokens
coverage: $(READY)
	rm -rf var/coverage && mkdir -p var/coverage
	$(WITH) $(V)/coverage run -m pytest --numprocesses 2 $(GUARDS:%=tests/test_%.py) $(ARGS)
	$(V)/coverage combine --quiet
	$(V)/coverage report

# A client in TypeScript, made from the API's description, compiled and walked (needs Node.js).
.PHONY: api-client
api-client: $(READY)
	$(V)/python -m bench.api_client

# The documentation as a site in site/, in an environment of its own. It asks nothing of other hosts.
.PHONY: docs
.venv/docs/bin/mkdocs: requirements/docs.txt
	$(PYTHON) -m venv .venv/docs
	.venv/docs/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/docs.txt
	touch $@

docs: .venv/docs/bin/mkdocs
	.venv/docs/bin/mkdocs build --quiet --strict --config-file docs/site/mkdocs.yml
	@echo "site/index.html is written."

# The pictures in docs/pictures, taken from the demonstration; look at each before you commit it.
.PHONY: pictures
pictures: $(READY)
	$(V)/python docs/site/pictures.py $(ARGS)
