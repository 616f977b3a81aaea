from nextscale_train.cli import run

run()
