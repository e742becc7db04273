/**
 * The passwords of 8 and more characters that people choose most, in lower case: compare without case. The ranked list leaves out what its
 * makers find by pattern, so repeats, keyboard walks, years and defaults are added by hand, after the published rankings of leaked
 * passwords (Burnett's "10,000 most common", SplashData 2011 to 2018, NordPass 2019 to 2024).
 */
import { rankedPasswords } from "./generated/rankedPasswords.ts"

export const commonPasswords: ReadonlySet<string> = new Set(
  `
  ${rankedPasswords}
  password password1 password12 password123 password1234 password! password1! password01 passw0rd passw0rd1
  p@ssw0rd p@ssword p@ssw0rd1 p@55w0rd pa$$w0rd pa$$word passwort passwords mypassword thepassword newpassword
  nopassword motdepasse contraseña contrasena 12345678 123456789 1234567890 12345678910 0123456789 87654321
  987654321 9876543210 00000000 11111111 22222222 33333333 44444444 55555555 66666666 77777777 88888888 99999999
  111111111 000000000 0000000000 1111111111 12341234 123123123 123412345 11223344 1122334455 12121212 123321123
  123454321 1234554321 12344321 147258369 147852369 159357456 159753456 741852963 789456123 31415926 10203040
  13131313 20202020 19841984 qwertyui qwertyuiop qwerty12 qwerty123 qwerty1234 qwerty12345 qwerty123456
  qwertyqwerty qwerty2020 qwertz123 qwertzui qwertzuiop azertyuiop azerty123 1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y
  q1w2e3r4 q1w2e3r4t5 1qaz2wsx 1qaz2wsx3edc 1qazxsw2 qazwsxedc qazwsx123 zaq12wsx zaq1zaq1 1234qwer 123qweasd
  123qwe123 12345qwert qweasdzxc qwe123qwe qweqweqwe asdfghjk asdfghjkl asdfasdf asdf1234 asdasdasd asd123asd
  zxcvbnm1 zxcvbnm123 zxcvzxcv zxczxczxc mnbvcxzl poiuytre lkjhgfdsa abcdefgh abcdefghi abcd1234 abc12345
  abc123456 abc123abc a1b2c3d4 a1b2c3d4e5 aaaaaaaa aa123456 aa12345678 a123456789 a1234567 abcabcabc xxxxxxxx
  zzzzzzzz iloveyou iloveyou1 iloveyou2 iloveyou! iloveme1 loveyou1 lovelove lovelyou forever1 sunshine sunshine1
  princess princess1 babygirl babygirl1 butterfly buttercup sweetheart football football1 baseball baseball1
  basketball softball swimming volleyball hockey123 soccer123 liverpool liverpool1 arsenal1 chelsea1 barcelona
  manchester juventus realmadrid steelers redskins yankees1 dolphins superman superman1 spiderman batman123
  starwars starwars1 startrek pokemon1 pokemon123 minecraft minecraft1 godzilla gandalf1 hello123 hello1234
  hellohello helloworld welcome1 welcome12 welcome123 welcome! letmein1 letmein123 letmein! trustno1 whatever
  whatever1 changeme changeme1 changeme123 changeit default1 default123 temp1234 temppass admin123 admin1234
  admin12345 adminadmin admin@123 administrator administrator1 root1234 rootroot rootpass test1234 test12345
  testtest testpass testing1 testing123 guest123 guestguest user1234 useruser demo1234 demodemo secret123
  supersecret master123 master12 dragon123 dragonball monkey123 monkey12 shadow123 michael1 michelle jennifer
  jennifer1 jessica1 charlie1 charlie123 ashley123 jordan23 daniel123 alexander alexandra elizabeth christian
  christopher samantha nicholas benjamin jonathan victoria computer computer1 internet internet1 samsung1
  samsung123 microsoft google123 facebook facebook1 linkedin myspace1 security security1 access14 mercedes
  corvette mustang1 bulldogs elephant chocolate strawberry pineapple cheesecake snickers november december
  september february january1 summer2020 summer2021 summer2022 summer2023 summer2024 summer2025 winter2020
  winter2023 winter2024 spring2024 autumn2024 midnight midnight1 diamond1 rainbow1 lucky777 money123 blink182
  metallica nirvana1 slipknot linkinpark greenday america1 newyork1 freedom1 liberty1 jesus123 jesuschrist
  blessed1 success1 business hollywood vacation pa55word pa55w0rd killer123 einstein maverick marlboro creative
  platinum explorer president scorpion trinity1 unicorn1
`
    .trim()
    .split(/\s+/)
)
