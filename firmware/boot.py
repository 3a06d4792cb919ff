# The gate pin first: whatever happens after this, no current flows until the firmware is armed.
import machine

machine.Pin(15, machine.Pin.OUT, value=0)
