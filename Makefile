.PHONY: run test lint bench screenshots interop-jitsi interop-asterisk package clean

run: ## a local meeting with three synthetic participants
	packaging/run.sh

test: ## everything: unit, window, end to end, interoperability
	tests/run.sh

lint:
	packaging/setup.sh test
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

bench:
	packaging/setup.sh test
	.venv/bin/python -m tests.bench

screenshots:
	packaging/setup.sh test
	QT_QPA_PLATFORM=offscreen .venv/bin/python -m ui.screenshots

interop-jitsi: ## JITSI_URL=https://host/
	packaging/setup.sh test
	.venv/bin/python -m tests.interop.jitsi_server "$(JITSI_URL)"

interop-asterisk: ## a real Asterisk in a network namespace; as root, downloads it once
	packaging/setup.sh test
	.venv/bin/python -m tests.interop.asterisk

package:
	packaging/build.sh

clean:
	rm -rf build dist out .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
