//! More exports of banks and payment services on invented files of each form, row by row.

use crate::feeds::check;

#[test]
fn bank_of_america() {
    check(
        "stmt.csv",
        "bank-of-america",
        false,
        &["stmt", "LARCH ELECTRIC", "TERN MARINE"],
        &[
            "2024-06-03T00:00:00Z | stmt | -1049.50 USD | LARCH ELECTRIC | - - - | - | 150000 | Unknown | 1",
            "2024-06-28T00:00:00Z | stmt | 2000.00 USD | TERN MARINE | - - - | - | 45050 | Unknown | 2",
        ],
        &["0 Description: no transaction: the balance that the statement begins with"],
    );
    check(
        "currentTransaction_3003.csv",
        "bank-of-america-card",
        false,
        &["3003", "HERON VIDEO", "THANK YOU"],
        &[
            "2024-06-27T00:00:00Z | 3003 | -12.99 USD | HERON VIDEO | - - - | - | - | Unknown | 0",
            "2024-06-25T00:00:00Z | 3003 | 200.00 USD | THANK YOU | - - - | - | - | Unknown \
             | 1",
            "2024-06-24T00:00:00Z | 3003 | 200.00 USD | THANK YOU | - - - | - | - | Unknown \
             | 2",
        ],
        &[],
    );
}

#[test]
fn chase_in_its_other_forms() {
    check(
        "Chase1111_old.CSV",
        "chase-card-legacy",
        false,
        &["Chase1111_old", "OWL & PINE", "Thank You"],
        &[
            "2016-06-27T00:00:00Z | Chase1111_old | -9.50 USD | OWL & PINE | - Sale - | - | - | Unknown | 0",
            "2016-06-20T00:00:00Z | Chase1111_old | 80.00 USD | Thank You | - Payment - | - | - | Unknown | 1",
        ],
        &[],
    );
    check(
        "Chase2222_Activity_20160630.CSV",
        "chase-checking-legacy",
        false,
        &["Chase2222", "OWL & PINE", "CHECK"],
        &[
            "2016-06-27T00:00:00Z | Chase2222 | -9.50 USD | OWL & PINE | - DEBIT - | - | - | Unknown | 0",
            "2016-06-20T00:00:00Z | Chase2222 | -180.00 USD | CHECK | - CHECK - | - | - | Unknown | 1",
        ],
        &[],
    );
    check(
        "Chase_all_cards.csv",
        "chase-cards",
        false,
        &["1111", "2222", "FINCH MEALS", "Thank You-Mobile"],
        &[
            "2024-06-27T00:00:00Z | 1111 | -19.50 USD | FINCH MEALS | Food & Drink Sale - | - | - | Unknown | 0",
            "2024-06-25T00:00:00Z | 2222 | 80.00 USD | Thank You-Mobile | - Payment - | - | - | Unknown | 1",
        ],
        &[],
    );
    check(
        "Chase_cards_no_memo.csv",
        "chase-cards",
        false,
        &["1111", "FINCH MEALS"],
        &["2024-06-27T00:00:00Z | 1111 | -19.50 USD | FINCH MEALS | Food & Drink Sale - | - | - | Unknown | 0"],
        &[],
    );
}

#[test]
fn revolut() {
    check(
        "revolut_eur.csv",
        "revolut",
        false,
        &["revolut_eur", "Kiosk Amsel", "Exchanged to JPY", "Top-Up by*0000"],
        &[
            "2024-06-27T14:03:11Z | revolut_eur | -12.40 EUR | Kiosk Amsel | - Card Payment - | - | 10000 | Unknown | 0",
            "2024-06-27T15:00:00Z | revolut_eur | -50.60 EUR | Exchanged to JPY | - Exchange - | - | 8760 | Unknown | 1",
            "2024-06-28T09:00:00Z | revolut_eur | -3.00 EUR | Kiosk Amsel | - CARD_PAYMENT - | - | - | Unknown | 2",
            "2024-06-29T09:30:00Z | revolut_eur | 1500 JPY | Top-Up by*0000 | - Topup - | - | 0 | Unknown | 4",
        ],
        &["3 State: no transaction: a payment that was undone"],
    );
}

#[test]
fn monzo() {
    check(
        "monzo.csv",
        "monzo",
        false,
        &["monzo", "Copper Kettle", "Delta Freight"],
        &[
            "2024-06-03T08:15:00Z | monzo | -3.20 GBP | Copper Kettle | Eating out Card payment - | - | - | Unknown | 0",
            "2024-01-03T09:15:00Z | monzo | 1200.00 GBP | Delta Freight | Income Faster payment - | - | - | Unknown | 1",
        ],
        &[],
    );
    check(
        "monzo_balance.csv",
        "monzo",
        false,
        &["monzo_balance", "Praia Bar"],
        &[
            "2024-06-27T22:30:00Z | monzo_balance | -8.50 GBP | Praia Bar | Eating out Card payment - | - | 10000 | Unknown \
           | 0",
        ],
        &[],
    );
}

#[test]
fn stripe() {
    check(
        "stripe_itemised.csv",
        "stripe-balance",
        false,
        &["stripe_itemised", "Order 41", "STRIPE PAYOUT"],
        &[
            "2024-06-27T14:03:11Z | stripe_itemised | 96.80 USD | Order 41 | charge - - | - | - | Unknown | 0",
            "2024-06-28T09:00:00Z | stripe_itemised | -96.80 USD | STRIPE PAYOUT | payout - - | - | - | Unknown | 1",
        ],
        &[],
    );
    check(
        "stripe_history.csv",
        "stripe-balance-dashboard",
        false,
        &["stripe", "Order 42", "Refund of order 42"],
        &[
            "2024-06-27T14:03:00Z | stripe | 1067.80 USD | Order 42 | charge - - | - | - | Unknown | 0",
            "2024-06-28T10:11:00Z | stripe | -20.00 USD | Refund of order 42 | refund - - | - | - | Unknown | 1",
        ],
        &[],
    );
    check(
        "stripe_charges.csv",
        "stripe-charges",
        false,
        &["FPaaaa0001", "FPaaaa0002", "Order 43", "Order 44", "Order 46"],
        &[
            "2024-06-27T14:03:00Z | FPaaaa0001 | -25.00 EUR | Order 43 | - - - | - | - | Unknown | 0",
            "2024-06-27T14:04:00Z | FPaaaa0002 | -990.00 EUR | Order 44 | - - - | - | - | Fraud | 1",
            "2024-06-27T14:06:00Z | FPaaaa0001 | -1500 JPY | Order 46 | - - - | - | - | Legitimate | 3",
        ],
        &["2 status: no transaction: a charge that did not come about"],
    );
}

#[test]
fn plaid_outflows_are_positive() {
    check(
        "plaid.csv",
        "plaid",
        false,
        &["acc0000000001", "Ferry 7 Tickets", "Brindle Wages"],
        &[
            "2024-06-08T00:00:00Z | acc0000000001 | -6.33 USD | Ferry 7 Tickets | TRAVEL online - | - | - | Unknown | 0",
            "2024-06-09T00:00:00Z | acc0000000001 | 500.00 USD | Brindle Wages | INCOME other - | - | - | Unknown | 1",
            "2024-06-10T00:00:00Z | acc0000000001 | -6.33 USD | Ferry 7 Tickets | TRAVEL online - | - | - | Unknown | 2",
        ],
        &[],
    );
}
