jobs := 1 2 3 4 5 6 7 8
eight: $(jobs)
$(jobs): ; @./job
below: ; @$(MAKE) -f jobs.mk eight
.PHONY: eight below $(jobs)
