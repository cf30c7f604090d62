"""The lines that are compared by company alone: their accounts, and a function that gives the target of each company.

Such a function takes `table(name, *columns)`, which reads a raw table whole, and gives exact decimals in ledger sign by the
predicates of the control; it shares nothing with the program.
"""

import line_l3
import line_l6
import line_m1
import line_orders

LINES = {
    "L2": (("13005", "13024"), line_orders.packages),
    "L3": (("13001", "13002", "13011", "13012"), line_l3.targets),
    "L4": (("18350",), line_orders.prepayments),
    "L5": (("18317",), line_orders.refunds),
    "L6": (("18412",), line_l6.targets),
    # A memo: nobody knows its sign; the stand-in books it as a debit.
    "M1": (("18304",), line_m1.targets),
}

# What explains a part of a line: functions that take `table` and the key, and give amounts by company and bridge.
BRIDGES = [line_l6.bridges]
