.PHONY: help demo demo-down test check site end2end bench sqlx-prepare

help: ## what there is
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1	\2/p' Makefile

demo: ## the panel with a real gateway on this machine; prints URL and first login
	@.setup/demo.sh

demo-down: ## removes the demo's containers and data
	@.setup/demo.sh down

test: ## everything: format, lints, unit, integration, end-to-end
	@.setup/test.sh

check: ## the quick inner loop: format, lints, unit tests
	@.setup/test.sh check

site: ## builds the browser's part
	@.setup/site.sh

end2end: ## only the tests in a browser
	@.setup/end2end.sh

bench: ## measures speed and memory beside a real gateway
	@.setup/bench.sh

sqlx-prepare: ## writes .sqlx anew after a change of a query or a migration
	@.setup/sqlx-prepare.sh
